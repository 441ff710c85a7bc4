// JPEG row by row, by libjpeg's own interface (jpeglib.h): libturbojpeg's gives whole pictures only. Its errors are jumps,
// which Swift code cannot take.
#ifndef CJPEG_H
#define CJPEG_H
#include <stddef.h>
#include <stdint.h>

enum cjpeg_outcome {
  CJPEG_DONE,
  /// An error ended it: `message` says which.
  CJPEG_FAILED,
  /// Colours that do not become RGB (CMYK, YCCK), or another size than was said: no row was given.
  CJPEG_OTHER
};

/// Takes row `y`, three bytes a pixel, red, green and blue; the pixels are there for the call alone.
typedef void cjpeg_row(void *context, const uint8_t *pixels, int y);

/// Decodes what libturbojpeg's TJFLAG_ACCURATEDCT would, and gives `row` every row from top to bottom.
/// `message` (of at least 200 bytes) becomes that of an error, or else of the first warning, or empty.
enum cjpeg_outcome cjpeg_decode(const uint8_t *bytes, size_t length, int width, int height, cjpeg_row *row, void *context,
                                char *message);

/// Encodes row by row what libturbojpeg would with TJSAMP_420 and TJFLAG_ACCURATEDCT.
struct cjpeg_encoder;

/// NULL if there is no memory. `quality` is 1 to 100.
struct cjpeg_encoder *cjpeg_encoder_new(int width, int height, int quality);

/// Takes the next row, three bytes a pixel. NULL, or the message of an error, after which nothing but the end may follow.
const char *cjpeg_encoder_take(struct cjpeg_encoder *encoder, const uint8_t *row);

/// After the last row: the bytes of the JPEG, which last as long as the encoder. NULL, or the message of an error.
const char *cjpeg_encoder_finish(struct cjpeg_encoder *encoder, const uint8_t **bytes, size_t *length);

void cjpeg_encoder_free(struct cjpeg_encoder *encoder);

#endif
