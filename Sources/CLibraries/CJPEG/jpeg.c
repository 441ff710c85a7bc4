#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

struct errors {
  struct jpeg_error_mgr manager;
  jmp_buf end;
  char message[JMSG_LENGTH_MAX];
};

static void keep_message(j_common_ptr info) {
  info->err->format_message(info, ((struct errors *)info->err)->message);
}

static void end(j_common_ptr info) {
  keep_message(info);
  longjmp(((struct errors *)info->err)->end, 1);
}

// Warnings that lose nothing of the picture, such as of bytes between segments, which many cameras write.
static bool is_harmless(const struct errors *errors) {
  switch (errors->manager.msg_code) {
  case JWRN_EXTRANEOUS_DATA:
  case JWRN_ADOBE_XFORM:
  case JWRN_JFIF_MAJOR:
  case JWRN_NOT_SEQUENTIAL:
  case JWRN_BOGUS_PROGRESSION: return true;
  default: return false;
  }
}

static void note(j_common_ptr info, int level) {
  struct errors *errors = (struct errors *)info->err;
  if (level < 0 && !*errors->message && !is_harmless(errors)) keep_message(info);
}

static struct jpeg_error_mgr *prepare(struct errors *errors) {
  jpeg_std_error(&errors->manager);
  errors->manager.error_exit = end;
  errors->manager.emit_message = note;
  return &errors->manager;
}

// MARK: Decoding

static void become_rgb(uint8_t *pixels, size_t count) {
  const uint8_t *source = pixels;
  for (size_t i = 0; i < count; i++, source += 4, pixels += 3) {
    unsigned black = source[3];
    for (int ink = 0; ink < 3; ink++) pixels[ink] = (uint8_t)((source[ink] * black + 127) / 255);
  }
}

// Where the pixels of the only scan end and go on as one byte over and over, they are those of a copy that was not
// finished: zeros pass for coded pixels. libjpeg reads up to eight bytes ahead.
static bool ends_in_filling(const struct jpeg_decompress_struct *info, const uint8_t *bytes, size_t length) {
  size_t place = info->src->next_input_byte - bytes;
  if (info->unread_marker && place <= length) return false;
  if (place > length) place = length;
  if (place < 16) return false;
  for (size_t i = place - 16; i < place; i++)
    if (bytes[i] != bytes[place - 1]) return false;
  return place == length || bytes[place] == bytes[place - 1];
}

static void decode(struct jpeg_decompress_struct *info, int eighths, cjpeg_row *row, void *context) {
  bool is_cmyk = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
  info->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  info->dct_method = JDCT_ISLOW;
  info->scale_num = (unsigned)eighths;
  info->scale_denom = 8;
  jpeg_start_decompress(info);
  JSAMPARRAY pixels = info->mem->alloc_sarray(
      (j_common_ptr)info, JPOOL_IMAGE, info->output_width * (JDIMENSION)info->output_components, 1);
  while (info->output_scanline < info->output_height) {
    int y = (int)info->output_scanline;
    if (jpeg_read_scanlines(info, pixels, 1) != 1) continue;
    if (is_cmyk) become_rgb(pixels[0], info->output_width);
    row(context, pixels[0], y);
  }
  // All pixels are there: of several scans everything up to the end marker was read before the first row, and what stands
  // behind the only one, with or without an end marker, is not the picture's.
}

int cjpeg_decode(const uint8_t *bytes, size_t length, int width, int height, int eighths, bool end_is_added, cjpeg_row *row,
                 void *context, char *message) {
  // Nothing that is used after a jump is changed before it but by libjpeg, through pointers.
  struct jpeg_decompress_struct info;
  struct errors errors;
  memset(&info, 0, sizeof info);
  memset(&errors, 0, sizeof errors);
  info.err = prepare(&errors);
  if (!setjmp(errors.end)) {
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, length);
    jpeg_read_header(&info, TRUE);
    if ((int)info.image_width == width && (int)info.image_height == height) {
      decode(&info, eighths, row, context);
      if (!*errors.message && !jpeg_has_multiple_scans(&info) &&
          ends_in_filling(&info, bytes, end_is_added ? length - 2 : length))
        snprintf(errors.message, sizeof errors.message, "its last part is one byte over and over");
    } else {
      snprintf(errors.message, sizeof errors.message, "it has two sizes");
    }
  }
  jpeg_destroy_decompress(&info);
  memcpy(message, errors.message, sizeof errors.message);
  return *message ? -1 : 0;
}

// MARK: Encoding

struct cjpeg_encoder {
  struct jpeg_compress_struct info;
  struct errors errors;
  unsigned char *bytes;
  unsigned long length;
};

struct cjpeg_encoder *cjpeg_encoder_new(int width, int height, int quality, bool is_sharp) {
  struct cjpeg_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  struct jpeg_compress_struct *info = &encoder->info;
  info->err = prepare(&encoder->errors);
  if (setjmp(encoder->errors.end)) {
    cjpeg_encoder_free(encoder);
    return NULL;
  }
  jpeg_create_compress(info);
  jpeg_mem_dest(info, &encoder->bytes, &encoder->length);
  info->image_width = (JDIMENSION)width;
  info->image_height = (JDIMENSION)height;
  info->input_components = 3;
  info->in_color_space = JCS_RGB;
  // With a quarter of the chroma.
  jpeg_set_defaults(info);
  if (is_sharp) info->comp_info[0].h_samp_factor = info->comp_info[0].v_samp_factor = 1;
  info->dct_method = JDCT_ISLOW;
  jpeg_set_quality(info, quality, TRUE);
  jpeg_start_compress(info, TRUE);
  return encoder;
}

const char *cjpeg_encoder_mark(struct cjpeg_encoder *encoder, int number, const uint8_t *bytes, size_t length) {
  if (setjmp(encoder->errors.end)) return encoder->errors.message;
  jpeg_write_marker(&encoder->info, JPEG_APP0 + number, bytes, (unsigned int)length);
  return NULL;
}

const char *cjpeg_encoder_take(struct cjpeg_encoder *encoder, const uint8_t *row) {
  if (setjmp(encoder->errors.end)) return encoder->errors.message;
  JSAMPROW rows[] = {(JSAMPROW)row};
  jpeg_write_scanlines(&encoder->info, rows, 1);
  return NULL;
}

const char *cjpeg_encoder_finish(struct cjpeg_encoder *encoder, const uint8_t **bytes, size_t *length) {
  if (setjmp(encoder->errors.end)) return encoder->errors.message;
  jpeg_finish_compress(&encoder->info);
  *bytes = encoder->bytes;
  *length = encoder->length;
  return NULL;
}

void cjpeg_encoder_free(struct cjpeg_encoder *encoder) {
  // The memory that was written last is given back to `bytes` by this alone. Without the first, there is none.
  if (encoder->bytes) encoder->info.dest->term_destination(&encoder->info);
  jpeg_destroy_compress(&encoder->info);
  free(encoder->bytes);
  free(encoder);
}
