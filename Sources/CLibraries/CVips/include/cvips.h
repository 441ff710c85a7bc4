// The few functions of libvips that farm uses. It is opened by name at first use: nothing links to it, and none of its
// types or variadic functions appear here. Functions return 0, or -1 with a line of text in `message`: the reason of
// that call and no other.
#ifndef CVIPS_H
#define CVIPS_H
#include <stddef.h>
#include <stdint.h>

/// HEIF includes AVIF.
enum cvips_format { CVIPS_JPEG, CVIPS_PNG, CVIPS_WEBP, CVIPS_GIF, CVIPS_TIFF, CVIPS_BMP, CVIPS_HEIF };

/// Pixels that libvips allocated, in rows from top to bottom without gaps. cvips_free frees `bytes`.
struct cvips_pixels {
  uint8_t *bytes;
  int width;
  int height;
  /// The EXIF orientation, 1 to 8. 1 if the file has none, or if its loader has turned the picture.
  int orientation;
  /// For text, the distance from the top of the line to its ink, in pixels.
  int ink_top;
  /// The colour profile, which cvips_free frees. NULL if there is none.
  uint8_t *profile;
  size_t profile_length;
};

/// Which samples of a pixel belong to the picture: the first `colours`, and number `alpha` of those after them, counted
/// from 0; -1 if none is alpha. If `colours` is 0, libvips decides.
struct cvips_samples {
  int colours;
  int alpha;
};

/// Opens libvips. Harmless if it is open already. `library` is a name for dlopen, such as "libvips.so.42".
int cvips_open(const char *library, char *message, size_t capacity);

/// Decodes the first picture in `bytes` with the loader of `format` and no other, to 8 bits each of red, green and blue
/// in its own profile, with transparent parts on white. A damaged or cut file, or one with more than `maximum_pixels`,
/// is an error.
int cvips_load(const void *bytes, size_t length, enum cvips_format format, struct cvips_samples samples,
               uint64_t maximum_pixels, struct cvips_pixels *pixels, char *message, size_t capacity);

/// Reads width, height and orientation as cvips_load does, without decoding. There are no bytes to free.
int cvips_header(const void *bytes, size_t length, enum cvips_format format, struct cvips_pixels *pixels, char *message,
                 size_t capacity);

/// Bytes that are written with a picture. NULL for none.
struct cvips_blob {
  const uint8_t *bytes;
  size_t length;
};

/// Encodes 8-bit RGB pixels as PNG or WebP (`quality` 1 to 100, only for WebP), with a packet of XMP data (compressed
/// in PNG) and a colour profile. cvips_free frees `encoded`.
int cvips_save(const uint8_t *pixels, int width, int height, struct cvips_blob xmp, struct cvips_blob profile,
               enum cvips_format format, int quality, void **encoded, size_t *length, char *message, size_t capacity);

/// Draws one line of Pango markup in a Pango font as coverage, one byte for each pixel, cropped to its ink.
int cvips_text(const char *markup, const char *font, struct cvips_pixels *pixels, char *message, size_t capacity);

/// The number of fonts that fontconfig knows. Pango aborts the process if there is none.
int cvips_font_count(void);

/// Names the calling thread for tools that show the process. At most 15 bytes are used. (Foundation's `Thread.name` may
/// set a name before it knows the thread, and pthread_setname_np is not visible to Swift.)
void cvips_name_thread(const char *name);

/// Frees what libvips keeps for the calling thread, before that thread ends.
void cvips_end_thread(void);

void cvips_free(void *memory);

#endif
