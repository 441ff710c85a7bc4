#include "cvips.h"
#include "functions.h"

#include <stdbool.h>
#include <string.h>

// ImageMagick reads BMP alone, for which libvips has no loader of its own: "BM" at the start makes it take that reader.
static VipsImage *load(const void *picture, size_t length, enum cvips_format format) {
  void *bytes = (void *)picture;
  load_buffer *loader = NULL;
  switch (format) {
  case CVIPS_JPEG:
    loader = cvips.jpegload_buffer;
    break;
  case CVIPS_PNG:
    loader = cvips.pngload_buffer;
    break;
  case CVIPS_WEBP:
    loader = cvips.webpload_buffer;
    break;
  case CVIPS_GIF:
    loader = cvips.gifload_buffer;
    break;
  case CVIPS_TIFF:
    loader = cvips.tiffload_buffer;
    break;
  case CVIPS_HEIF:
    loader = cvips.heifload_buffer;
    break;
  case CVIPS_BMP:
    break;
  }
  VipsImage *image = NULL;
  int failed = loader ? loader(bytes, length, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL)
                      : cvips.magickload_buffer(bytes, length, &image, NULL);
  return failed ? NULL : image;
}

// Takes the reference to `image` and answers with one to the samples that are the picture's, or NULL.
static VipsImage *keep_samples(VipsImage *image, struct cvips_samples samples) {
  int bands = cvips.image_get_bands(image);
  if (samples.colours == 0 || samples.colours >= bands)
    return image;
  VipsImage *kept = NULL, *alpha = NULL, *joined = NULL;
  int failed = cvips.extract_band(image, &kept, 0, "n", samples.colours, NULL);
  int place = samples.colours + samples.alpha;
  if (!failed && samples.alpha >= 0 && place < bands) {
    failed = cvips.extract_band(image, &alpha, place, NULL) || cvips.bandjoin2(kept, alpha, &joined, NULL);
    if (alpha)
      cvips.g_object_unref(alpha);
    cvips.g_object_unref(kept);
    kept = joined;
  }
  cvips.g_object_unref(image);
  return failed ? NULL : kept;
}

// Takes the reference to `image` and answers with one to what was made of it, or NULL.
static VipsImage *become_rgb(VipsImage *image) {
  VipsImage *next = NULL;
  int failed = cvips.colourspace(image, &next, VIPS_INTERPRETATION_sRGB, NULL);
  cvips.g_object_unref(image);
  if (failed)
    return NULL;
  image = next;

  if (cvips.image_hasalpha(image)) {
    const double white[] = {255, 255, 255};
    void *background = cvips.array_double_new(white, 3);
    failed = cvips.flatten(image, &next, "background", background, NULL);
    cvips.area_unref(background);
    cvips.g_object_unref(image);
    if (failed)
      return NULL;
    image = next;
  }
  if (cvips.image_get_bands(image) > 3) {
    failed = cvips.extract_band(image, &next, 0, "n", 3, NULL);
    cvips.g_object_unref(image);
    if (failed)
      return NULL;
    image = next;
  }
  failed = cvips.cast_uchar(image, &next, NULL);
  cvips.g_object_unref(image);
  return failed ? NULL : next;
}

// Takes the reference to `image`.
static int take_pixels(VipsImage *image, int bands, struct cvips_pixels *pixels) {
  size_t length = 0;
  void *bytes = cvips.image_write_to_memory(image, &length);
  pixels->width = cvips.image_get_width(image);
  pixels->height = cvips.image_get_height(image);
  cvips.g_object_unref(image);
  if (!bytes)
    return -1;
  if (length != (size_t)pixels->width * pixels->height * bands) {
    cvips.g_free(bytes);
    return -1;
  }
  pixels->bytes = bytes;
  return 0;
}

static void take_profile(VipsImage *image, struct cvips_pixels *pixels) {
  const void *bytes = NULL;
  size_t length = 0;
  if (!cvips.image_get_typeof(image, "icc-profile-data") ||
      cvips.image_get_blob(image, "icc-profile-data", &bytes, &length) || !length)
    return;
  pixels->profile = cvips.g_malloc(length);
  memcpy(pixels->profile, bytes, length);
  pixels->profile_length = length;
}

struct picture {
  const void *bytes;
  size_t length;
  enum cvips_format format;
  struct cvips_samples samples;
  uint64_t maximum_pixels;
  struct cvips_pixels *pixels;
  bool is_too_large;
};

static int load_pixels(void *context) {
  struct picture *picture = context;
  VipsImage *image = load(picture->bytes, picture->length, picture->format);
  if (!image)
    return -1;
  uint64_t width = cvips.image_get_width(image), height = cvips.image_get_height(image);
  if (width * height > picture->maximum_pixels) {
    cvips.g_object_unref(image);
    picture->is_too_large = true;
    return 0;
  }
  struct cvips_pixels *pixels = picture->pixels;
  pixels->orientation = cvips.image_get_orientation(image);
  cvips_free(pixels->profile);
  pixels->profile = NULL;
  pixels->profile_length = 0;
  take_profile(image, pixels);
  image = keep_samples(image, picture->samples);
  if (image)
    image = become_rgb(image);
  return image ? take_pixels(image, 3, pixels) : -1;
}

int cvips_load(const void *bytes, size_t length, enum cvips_format format, struct cvips_samples samples,
               uint64_t maximum_pixels, struct cvips_pixels *pixels, char *message, size_t capacity) {
  struct picture picture = {bytes, length, format, samples, maximum_pixels, pixels, false};
  if (cvips_run(load_pixels, &picture, message, capacity))
    return -1;
  return picture.is_too_large ? cvips_fail(message, capacity, "it is larger than its header says") : 0;
}

static int load_header(void *context) {
  struct picture *picture = context;
  VipsImage *image = load(picture->bytes, picture->length, picture->format);
  if (!image)
    return -1;
  picture->pixels->width = cvips.image_get_width(image);
  picture->pixels->height = cvips.image_get_height(image);
  picture->pixels->orientation = cvips.image_get_orientation(image);
  cvips.g_object_unref(image);
  return 0;
}

int cvips_header(const void *bytes, size_t length, enum cvips_format format, struct cvips_pixels *pixels, char *message,
                 size_t capacity) {
  struct picture picture = {.bytes = bytes, .length = length, .format = format, .pixels = pixels};
  return cvips_run(load_header, &picture, message, capacity);
}

struct output {
  const uint8_t *pixels;
  int width, height;
  struct cvips_blob xmp, profile;
  enum cvips_format format;
  int quality;
  void **encoded;
  size_t *length;
};

static int save(void *context) {
  struct output *output = context;
  size_t length = (size_t)output->width * output->height * 3;
  VipsImage *plain =
      cvips.image_new_from_memory(output->pixels, length, output->width, output->height, 3, VIPS_FORMAT_UCHAR);
  if (!plain)
    return -1;
  if (output->xmp.bytes)
    cvips.image_set_blob_copy(plain, "xmp-data", output->xmp.bytes, output->xmp.length);
  if (output->profile.bytes)
    cvips.image_set_blob_copy(plain, "icc-profile-data", output->profile.bytes, output->profile.length);
  int failed = output->format == CVIPS_WEBP
                   ? cvips.webpsave_buffer(plain, output->encoded, output->length, "Q", output->quality, NULL)
                   : cvips.pngsave_buffer(plain, output->encoded, output->length, NULL);
  cvips.g_object_unref(plain);
  return failed;
}

int cvips_save(const uint8_t *pixels, int width, int height, struct cvips_blob xmp, struct cvips_blob profile,
               enum cvips_format format, int quality, void **encoded, size_t *length, char *message, size_t capacity) {
  struct output output = {pixels, width, height, xmp, profile, format, quality, encoded, length};
  return cvips_run(save, &output, message, capacity);
}

struct line {
  const char *markup, *font;
  struct cvips_pixels *pixels;
};

static int draw_line(void *context) {
  struct line *line = context;
  VipsImage *image = NULL;
  if (cvips.text(&image, line->markup, "font", line->font, NULL))
    return -1;
  line->pixels->ink_top = cvips.image_get_yoffset(image);
  return take_pixels(image, 1, line->pixels);
}

int cvips_text(const char *markup, const char *font, struct cvips_pixels *pixels, char *message, size_t capacity) {
  struct line line = {markup, font, pixels};
  return cvips_run(draw_line, &line, message, capacity);
}

int cvips_font_count(void) {
  FontSet *fonts = cvips.FcConfigGetFonts(NULL, 0);
  return fonts ? fonts->count : 0;
}
