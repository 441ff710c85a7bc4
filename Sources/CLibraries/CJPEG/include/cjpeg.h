// JPEG row by row, by libjpeg (jpeglib.h), whose errors are jumps, which Swift code cannot take.
#ifndef CJPEG_H
#define CJPEG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Takes row `y`, three bytes a pixel, red, green and blue; the pixels are there for the call alone.
typedef void cjpeg_row(void *context, const uint8_t *pixels, int y);

/// Decodes, with the accurate DCT, and gives `row` every row from top to bottom. CMYK becomes RGB without a colour profile,
/// its inks inverted, which is Adobe's convention.
/// `end_is_added`: the end marker was put behind the file's own bytes. What stands behind the pixels of a picture's only scan
/// is not looked at.
/// `eighths`: 1 to 8: so many eighths of each side are decoded, rounded up, which takes as much less time and memory.
/// Returns 0, or -1 with a message (in at least 200 bytes): of an error, or of the first warning of something that is missing or
/// damaged; or for a picture of another size than `width` and `height`.
int cjpeg_decode(const uint8_t *bytes, size_t length, int width, int height, int eighths, bool end_is_added, cjpeg_row *row,
                 void *context, char *message);

/// Encodes row by row, with the accurate DCT.
struct cjpeg_encoder;

/// `is_sharp`: all of the chroma is kept (4:4:4), else a quarter (4:2:0). `quality` is 1 to 100. NULL if there is no memory.
struct cjpeg_encoder *cjpeg_encoder_new(int width, int height, int quality, bool is_sharp);

/// Writes an application's segment, APP0 to APP15 by its number, of at most 65533 bytes, before the first row. NULL, or the
/// message of an error.
const char *cjpeg_encoder_mark(struct cjpeg_encoder *encoder, int number, const uint8_t *bytes, size_t length);

/// Takes the next row, three bytes a pixel. NULL, or the message of an error, after which nothing but the end may follow.
const char *cjpeg_encoder_take(struct cjpeg_encoder *encoder, const uint8_t *row);

/// After the last row: the bytes of the JPEG, which last as long as the encoder. NULL, or the message of an error.
const char *cjpeg_encoder_finish(struct cjpeg_encoder *encoder, const uint8_t **bytes, size_t *length);

/// At any time.
void cjpeg_encoder_free(struct cjpeg_encoder *encoder);

#endif
