// JPEG row by row, with libjpeg (jpeglib.h). Its errors are jumps, which Swift code cannot handle.
#ifndef CJPEG_H
#define CJPEG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Receives row `y`, three bytes for each pixel: red, green and blue. The pixels are valid only during the call.
typedef void cjpeg_row(void *context, const uint8_t *pixels, int y);

/// Decodes with the accurate DCT, and passes every row to `row`, from top to bottom. CMYK becomes RGB without a colour
/// profile, with its inks inverted, which is Adobe's convention. `end_is_added`: whether the end marker was put after
/// the file's own bytes. If a picture has a single scan, what follows its pixels is not read. `eighths`: 1 to 8: so many
/// eighths of each side are decoded, rounded up, which takes less time and memory in proportion. Returns 0, or -1 with a
/// message (which has room for at least 200 bytes): an error, the first warning about something missing or damaged, or
/// a size that is not `width` and `height`.
int cjpeg_decode(const uint8_t *bytes, size_t length, int width, int height, int eighths, bool end_is_added, cjpeg_row *row,
                 void *context, char *message);

/// Encodes row by row, with the accurate DCT.
struct cjpeg_encoder;

/// `is_sharp`: whether all chroma is kept (4:4:4), or a quarter (4:2:0). `quality` is 1 to 100. Returns NULL if there
/// is no memory.
struct cjpeg_encoder *cjpeg_encoder_new(int width, int height, int quality, bool is_sharp);

/// Writes an application segment, APP0 to APP15 by its number, of at most 65533 bytes, before the first row. Returns
/// NULL or the message of an error.
const char *cjpeg_encoder_mark(struct cjpeg_encoder *encoder, int number, const uint8_t *bytes, size_t length);

/// Takes the next row, three bytes for each pixel. Returns NULL, or the message of an error. After an error, only
/// cjpeg_encoder_free may be called.
const char *cjpeg_encoder_take(struct cjpeg_encoder *encoder, const uint8_t *row);

/// Returns the bytes of the JPEG, after the last row. They live as long as the encoder. Returns NULL, or the message of
/// an error.
const char *cjpeg_encoder_finish(struct cjpeg_encoder *encoder, const uint8_t **bytes, size_t *length);

/// May be called at any time.
void cjpeg_encoder_free(struct cjpeg_encoder *encoder);

#endif
