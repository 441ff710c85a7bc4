#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
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
