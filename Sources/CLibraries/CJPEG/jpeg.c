#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>

struct errors {
  struct jpeg_error_mgr manager;
  jmp_buf end;
  char *message;
};

static void keep_message(j_common_ptr info) {
  info->err->format_message(info, ((struct errors *)info->err)->message);
}

static void end(j_common_ptr info) {
  keep_message(info);
  longjmp(((struct errors *)info->err)->end, 1);
}

enum cjpeg_outcome cjpeg_decode(const uint8_t *bytes, size_t length, int width, int height, cjpeg_row *row, void *context,
                                char *message) {
  struct jpeg_decompress_struct info;
  struct errors errors;
  *message = 0;
  info.err = jpeg_std_error(&errors.manager);
  // The manager's own emit_message calls it for the first warning alone.
  errors.manager.output_message = keep_message;
  errors.manager.error_exit = end;
  errors.message = message;
  jpeg_create_decompress(&info);
  // From here on nothing that is used after a jump is changed before it.
  if (setjmp(errors.end)) {
    jpeg_destroy_decompress(&info);
    return CJPEG_FAILED;
  }
  jpeg_mem_src(&info, bytes, length);
  jpeg_read_header(&info, TRUE);
  if ((int)info.image_width != width || (int)info.image_height != height || info.jpeg_color_space == JCS_CMYK ||
      info.jpeg_color_space == JCS_YCCK) {
    jpeg_destroy_decompress(&info);
    return CJPEG_OTHER;
  }
  info.out_color_space = JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&info);
  JSAMPARRAY pixels = info.mem->alloc_sarray((j_common_ptr)&info, JPOOL_IMAGE, info.output_width * 3, 1);
  while (info.output_scanline < info.output_height) {
    int y = (int)info.output_scanline;
    if (jpeg_read_scanlines(&info, pixels, 1) == 1) row(context, pixels[0], y);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return CJPEG_DONE;
}

struct cjpeg_encoder {
  struct jpeg_compress_struct info;
  struct errors errors;
  char message[JMSG_LENGTH_MAX];
  unsigned char *bytes;
  unsigned long length;
};

struct cjpeg_encoder *cjpeg_encoder_new(int width, int height, int quality) {
  struct cjpeg_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  struct jpeg_compress_struct *info = &encoder->info;
  info->err = jpeg_std_error(&encoder->errors.manager);
  encoder->errors.manager.output_message = keep_message;
  encoder->errors.manager.error_exit = end;
  encoder->errors.message = encoder->message;
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
  info->dct_method = JDCT_ISLOW;
  jpeg_set_quality(info, quality, TRUE);
  jpeg_start_compress(info, TRUE);
  return encoder;
}

const char *cjpeg_encoder_take(struct cjpeg_encoder *encoder, const uint8_t *row) {
  if (setjmp(encoder->errors.end)) return encoder->message;
  JSAMPROW rows[] = {(JSAMPROW)row};
  jpeg_write_scanlines(&encoder->info, rows, 1);
  return NULL;
}

const char *cjpeg_encoder_finish(struct cjpeg_encoder *encoder, const uint8_t **bytes, size_t *length) {
  if (setjmp(encoder->errors.end)) return encoder->message;
  jpeg_finish_compress(&encoder->info);
  *bytes = encoder->bytes;
  *length = encoder->length;
  return NULL;
}

void cjpeg_encoder_free(struct cjpeg_encoder *encoder) {
  jpeg_destroy_compress(&encoder->info);
  free(encoder->bytes);
  free(encoder);
}
