// The few things farm asks of libvips, which is opened by name at first use: nothing links against it, and none of its
// types or variadic functions are seen here. Functions answer 0, or -1 with a line of text in `message`: the reason of
// that call and no other's.
#ifndef CVIPS_H
#define CVIPS_H
#include <stddef.h>
#include <stdint.h>

/// HEIF includes AVIF.
enum cvips_format { CVIPS_JPEG, CVIPS_PNG, CVIPS_WEBP, CVIPS_GIF, CVIPS_TIFF, CVIPS_BMP, CVIPS_HEIF };

/// Pixels that libvips allocated, rows from top to bottom without gaps; `bytes` is given back by cvips_free.
struct cvips_pixels {
  uint8_t *bytes;
  int width;
  int height;
  /// As EXIF counts, 1 to 8; 1 where the file says nothing or its loader has turned the picture.
  int orientation;
  /// Of a text: where its ink begins below the top of the line, in pixels.
  int ink_top;
  /// The colour profile, given back by cvips_free; NULL if there is none.
  uint8_t *profile;
  size_t profile_length;
};

/// Which samples of a pixel are the picture's: the first `colours`, and of those behind them number `alpha`, from 0; -1: none
/// is alpha. `colours` 0: as libvips has it.
struct cvips_samples {
  int colours;
  int alpha;
};

/// Opens libvips; harmless if it is open. `library` is a name as dlopen takes it, such as "libvips.so.42".
int cvips_open(const char *library, char *message, size_t capacity);

/// Decodes the first picture in `bytes` by the loader of `format` and no other, to 8 bits each of red, green and blue as the
/// profile has them, what is transparent on white. A damaged or cut file, or one of more than `maximum_pixels`, is an error.
int cvips_load(const void *bytes, size_t length, enum cvips_format format, struct cvips_samples samples,
               uint64_t maximum_pixels, struct cvips_pixels *pixels, char *message, size_t capacity);

/// Reads width, height and orientation as cvips_load does, without decoding; no bytes have to be given back.
int cvips_header(const void *bytes, size_t length, enum cvips_format format, struct cvips_pixels *pixels, char *message,
                 size_t capacity);

/// Bytes that are written along with a picture; NULL: none.
struct cvips_blob {
  const uint8_t *bytes;
  size_t length;
};

/// Encodes 8-bit RGB pixels as PNG or WebP (`quality` 1 to 100, WebP only), with a packet of XMP data (in PNG it is
/// compressed) and a colour profile. `encoded` is given back by cvips_free.
int cvips_save(const uint8_t *pixels, int width, int height, struct cvips_blob xmp, struct cvips_blob profile,
               enum cvips_format format, int quality, void **encoded, size_t *length, char *message, size_t capacity);

/// Draws one line of Pango markup in a Pango font as coverage, one byte a pixel, cropped to its ink.
int cvips_text(const char *markup, const char *font, struct cvips_pixels *pixels, char *message, size_t capacity);

/// The number of fonts fontconfig knows; Pango aborts the process where there is none.
int cvips_font_count(void);

/// Names the calling thread for those who look at the process: at most 15 bytes of it. (Foundation's `Thread.name` may set a
/// name before it knows the thread, and pthread_setname_np is not visible to Swift.)
void cvips_name_thread(const char *name);

/// Gives back what libvips keeps for the calling thread, before that thread ends.
void cvips_end_thread(void);

void cvips_free(void *memory);

#endif
