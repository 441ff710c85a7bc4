// Pictures by bare libturbojpeg, for measuring farm.
//
//   bare-pictures make DIR COUNT WIDTH HEIGHT PHOTO...
//       writes COUNT pictures DIR/000001.jpg ..., made of the photos' own pixels, mirrored at their edges
//   bare-pictures crop [DIR]
//       does what an enricher does with its pictures: stdin has a line for each, "PATH X Y WIDTH HEIGHT X Y ...", and it
//       reads and decodes the file and encodes each of these areas. Prints the processor time that took, in seconds. With DIR
//       it writes them there: LINE_AREA.jpg, both numbers from 1 on
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <turbojpeg.h>

// As farm encodes crops, and as it decodes and encodes everything.
enum { QUALITY = 90, FLAGS = TJFLAG_ACCURATEDCT, PICTURE_QUALITY = 85 };

struct bytes {
  unsigned char *start;
  unsigned long count;
};

struct pixels {
  unsigned char *start;
  int width;
  int height;
};

static void fail(const char *what, const char *why) {
  fprintf(stderr, "bare-pictures: %s: %s\n", what, why);
  exit(1);
}

static struct bytes load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) fail(path, "cannot be read");
  struct bytes bytes = {NULL, (unsigned long)ftell(file)};
  rewind(file);
  bytes.start = malloc(bytes.count);
  if (!bytes.start || fread(bytes.start, 1, bytes.count, file) != bytes.count) fail(path, "cannot be read");
  fclose(file);
  return bytes;
}

static void save(const char *path, struct bytes bytes) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes.start, 1, bytes.count, file) != bytes.count || fclose(file)) fail(path, "cannot be written");
}

static struct pixels decode(const char *path) {
  struct bytes bytes = load(path);
  struct pixels pixels = {0};
  int sampling, colours;
  tjhandle decoder = tjInitDecompress();
  if (!decoder || tjDecompressHeader3(decoder, bytes.start, bytes.count, &pixels.width, &pixels.height, &sampling, &colours))
    fail(path, tjGetErrorStr2(decoder));
  pixels.start = malloc((size_t)pixels.width * pixels.height * 3);
  if (!pixels.start || tjDecompress2(decoder, bytes.start, bytes.count, pixels.start, pixels.width, 0, pixels.height, TJPF_RGB,
                                     FLAGS | TJFLAG_LIMITSCANS))
    fail(path, tjGetErrorStr2(decoder));
  tjDestroy(decoder);
  free(bytes.start);
  return pixels;
}

static struct bytes encode(struct pixels pixels, int x, int y, int width, int height, int quality) {
  struct bytes bytes = {0};
  tjhandle encoder = tjInitCompress();
  if (!encoder || tjCompress2(encoder, pixels.start + ((size_t)y * pixels.width + x) * 3, width, pixels.width * 3, height,
                              TJPF_RGB, &bytes.start, &bytes.count, TJSAMP_420, quality, FLAGS))
    fail("encoding", tjGetErrorStr2(encoder));
  tjDestroy(encoder);
  return bytes;
}

// MARK: Making pictures

static int mirrored(int place, int size) {
  int period = place % (2 * size);
  return period < size ? period : 2 * size - 1 - period;
}

static void make(const char *folder, int count, int width, int height, char **photos, int kinds) {
  struct pixels *sources = calloc((size_t)kinds, sizeof *sources);
  struct pixels picture = {malloc((size_t)width * height * 3), width, height};
  if (!sources || !picture.start) fail("making pictures", "no memory");
  for (int i = 0; i < kinds; i++) sources[i] = decode(photos[i]);
  for (int number = 1; number <= count; number++) {
    struct pixels source = sources[number % kinds];
    for (int y = 0; y < height; y++) {
      const unsigned char *row = source.start + (size_t)mirrored(y + 7 * number, source.height) * source.width * 3;
      unsigned char *place = picture.start + (size_t)y * width * 3;
      for (int x = 0; x < width; x++, place += 3) memcpy(place, row + mirrored(x + 13 * number, source.width) * 3, 3);
    }
    struct bytes bytes = encode(picture, 0, 0, width, height, PICTURE_QUALITY);
    char path[4096];
    snprintf(path, sizeof path, "%s/%06d.jpg", folder, number);
    save(path, bytes);
    tjFree(bytes.start);
  }
}

// MARK: Cutting them up

static void crop(char *line, int number_of_line, const char *folder) {
  char *rest;
  char *path = strtok_r(line, " \n", &rest);
  if (!path) return;
  struct pixels pixels = decode(path);
  int area[4];
  int filled = 0, areas = 0;
  for (char *number; (number = strtok_r(NULL, " \n", &rest));) {
    area[filled++] = atoi(number);
    if (filled < 4) continue;
    filled = 0;
    struct bytes bytes = encode(pixels, area[0], area[1], area[2], area[3], QUALITY);
    areas++;
    if (folder) {
      char name[4096];
      snprintf(name, sizeof name, "%s/%d_%d.jpg", folder, number_of_line, areas);
      save(name, bytes);
    }
    tjFree(bytes.start);
  }
  free(pixels.start);
}

int main(int count, char **arguments) {
  if (count >= 7 && !strcmp(arguments[1], "make")) {
    make(arguments[2], atoi(arguments[3]), atoi(arguments[4]), atoi(arguments[5]), arguments + 6, count - 6);
    return 0;
  }
  if (count < 2 || count > 3 || strcmp(arguments[1], "crop")) {
    fprintf(stderr, "usage: bare-pictures make DIR COUNT WIDTH HEIGHT PHOTO... | crop [DIR]\n");
    return 2;
  }
  char *line = NULL;
  size_t room = 0;
  for (int number = 1; getline(&line, &room, stdin) > 0; number++) crop(line, number, count == 3 ? arguments[2] : NULL);
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  printf("%.6f\n", (double)used.tv_sec + (double)used.tv_nsec * 1e-9);
  return 0;
}
