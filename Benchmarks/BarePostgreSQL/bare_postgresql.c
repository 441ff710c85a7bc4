// What a bare program of libpq reaches in storing answers, for measuring farm.
//
//   bare-postgresql METHOD CONNINFO FILE ROWS GROUP FIRST
//
// Inserts ROWS rows of `results` in transactions of GROUP rows, each with the JSON in FILE as its data, image_id from FIRST
// on. METHOD: unnest (arrays in binary form), recordset (jsonb_to_recordset), copy (binary COPY), pipeline (a prepared
// statement a row, one sync a group). Prints the seconds from the first row to the last commit.
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UUID = 16 };
static const char service[] = "yolov8", status[] = "success", worker[] = "work_yolov8_bench_1";
static const double seconds = 0.25;

static PGconn *database;
static char *answer;
static size_t answer_length;

static void fail(const char *what) {
  fprintf(stderr, "bare-postgresql: %s: %s\n", what, PQerrorMessage(database));
  exit(1);
}

static void expect(PGresult *result, ExecStatusType status) {
  if (PQresultStatus(result) != status) fail(PQresultErrorMessage(result));
  PQclear(result);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// MARK: Binary values

struct buffer {
  char *start;
  size_t count, room;
};

static void put(struct buffer *buffer, const void *bytes, size_t count) {
  if (buffer->count + count > buffer->room) {
    buffer->room = (buffer->count + count) * 2;
    buffer->start = realloc(buffer->start, buffer->room);
    if (!buffer->start) fail("no memory");
  }
  memcpy(buffer->start + buffer->count, bytes, count);
  buffer->count += count;
}

static void put16(struct buffer *buffer, int value) {
  uint16_t big = htons((uint16_t)value);
  put(buffer, &big, 2);
}

static void put32(struct buffer *buffer, size_t value) {
  uint32_t big = htonl((uint32_t)value);
  put(buffer, &big, 4);
}

static void put64(struct buffer *buffer, uint64_t value) {
  put32(buffer, value >> 32);
  put32(buffer, value & 0xffffffff);
}

static void put_text(struct buffer *buffer, const char *text) {
  put32(buffer, strlen(text));
  put(buffer, text, strlen(text));
}

static void put_answer(struct buffer *buffer) {
  put32(buffer, answer_length + 1);
  put(buffer, "\1", 1);
  put(buffer, answer, answer_length);
}

static void put_seconds(struct buffer *buffer) {
  uint64_t bits;
  memcpy(&bits, &seconds, 8);
  put32(buffer, 8);
  put64(buffer, bits);
}

static void make_uuid(unsigned char *uuid) {
  for (int i = 0; i < UUID; i++) uuid[i] = (unsigned char)(random() & 0xff);
}

static void put_uuid(struct buffer *buffer) {
  unsigned char uuid[UUID];
  make_uuid(uuid);
  put32(buffer, UUID);
  put(buffer, uuid, UUID);
}

// The seven columns of a row, each with its length.
static void put_row(struct buffer *buffer, int image) {
  put32(buffer, 4);
  put32(buffer, (size_t)image);
  put_text(buffer, service);
  put_answer(buffer);
  put_text(buffer, status);
  put_seconds(buffer);
  put_text(buffer, worker);
  put_uuid(buffer);
}

// MARK: Methods

#define COLUMNS "image_id, service, data, status, processing_time, worker_id, job_id"

static const char unnest_sql[] =
    "INSERT INTO results (" COLUMNS ") SELECT * FROM unnest($1::int[], $2::text[], $3::jsonb[], $4::text[], $5::float8[], "
    "$6::text[], $7::uuid[])";
static const char recordset_sql[] =
    "INSERT INTO results (" COLUMNS ") SELECT " COLUMNS " FROM jsonb_to_recordset($1) AS r(image_id int, service text, "
    "data jsonb, status text, processing_time float8, worker_id text, job_id uuid)";
static const char row_sql[] =
    "INSERT INTO results (" COLUMNS ") VALUES ($1::int, $2::text, $3::jsonb, $4::text, $5::float8, $6::text, $7::uuid)";
static const char copy_sql[] = "COPY results (" COLUMNS ") FROM STDIN (FORMAT binary)";

static void begin_array(struct buffer *buffer, unsigned type, int count) {
  buffer->count = 0;
  put32(buffer, 1);
  put32(buffer, 0);
  put32(buffer, type);
  put32(buffer, (size_t)count);
  put32(buffer, 1);
}

static void insert_unnest(int first, int count) {
  static struct buffer columns[7];
  // The types' numbers in pg_type: int4, text, jsonb, float8, uuid.
  static const unsigned types[7] = {23, 25, 3802, 25, 701, 25, 2950};
  const char *values[7];
  int lengths[7], formats[7] = {1, 1, 1, 1, 1, 1, 1};
  for (int i = 0; i < 7; i++) begin_array(&columns[i], types[i], count);
  for (int i = 0; i < count; i++) {
    put32(&columns[0], 4);
    put32(&columns[0], (size_t)(first + i));
    put_text(&columns[1], service);
    put_answer(&columns[2]);
    put_text(&columns[3], status);
    put_seconds(&columns[4]);
    put_text(&columns[5], worker);
    put_uuid(&columns[6]);
  }
  for (int i = 0; i < 7; i++) {
    values[i] = columns[i].start;
    lengths[i] = (int)columns[i].count;
  }
  expect(PQexecPrepared(database, "insert", 7, values, lengths, formats, 0), PGRES_COMMAND_OK);
}

static void insert_recordset(int first, int count) {
  static struct buffer buffer;
  char text[256];
  buffer.count = 0;
  for (int i = 0; i < count; i++) {
    unsigned char uuid[UUID];
    char hex[2 * UUID + 1];
    make_uuid(uuid);
    for (int j = 0; j < UUID; j++) sprintf(hex + 2 * j, "%02x", uuid[j]);
    int length = snprintf(text, sizeof text,
                          "%c{\"image_id\":%d,\"service\":\"%s\",\"status\":\"%s\",\"processing_time\":%g,\"worker_id\":\"%s\","
                          "\"job_id\":\"%s\",\"data\":",
                          i ? ',' : '[', first + i, service, status, seconds, worker, hex);
    put(&buffer, text, (size_t)length);
    put(&buffer, answer, answer_length);
    put(&buffer, "}", 1);
  }
  put(&buffer, "]", 2);
  const char *values[1] = {buffer.start};
  expect(PQexecPrepared(database, "insert", 1, values, NULL, NULL, 0), PGRES_COMMAND_OK);
}

static void insert_copy(int first, int count) {
  static struct buffer buffer;
  buffer.count = 0;
  put(&buffer, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  for (int i = 0; i < count; i++) {
    put16(&buffer, 7);
    put_row(&buffer, first + i);
  }
  put16(&buffer, -1);
  expect(PQexec(database, copy_sql), PGRES_COPY_IN);
  if (PQputCopyData(database, buffer.start, (int)buffer.count) != 1 || PQputCopyEnd(database, NULL) != 1) fail("COPY");
  for (PGresult *result; (result = PQgetResult(database));) expect(result, PGRES_COMMAND_OK);
}

static void insert_pipeline(int first, int count) {
  static struct buffer buffer;
  int formats[7] = {1, 1, 1, 1, 1, 1, 1};
  if (!PQenterPipelineMode(database)) fail("pipeline mode");
  for (int i = 0; i < count; i++) {
    const char *values[7];
    int lengths[7];
    buffer.count = 0;
    put_row(&buffer, first + i);
    const char *place = buffer.start;
    for (int j = 0; j < 7; j++) {
      uint32_t length;
      memcpy(&length, place, 4);
      lengths[j] = (int)ntohl(length);
      values[j] = place + 4;
      place += 4 + lengths[j];
    }
    if (!PQsendQueryPrepared(database, "insert", 7, values, lengths, formats, 0)) fail("sending a row");
  }
  if (!PQpipelineSync(database)) fail("sync");
  for (int i = 0; i < count; i++) {
    expect(PQgetResult(database), PGRES_COMMAND_OK);
    PQgetResult(database);
  }
  expect(PQgetResult(database), PGRES_PIPELINE_SYNC);
  if (!PQexitPipelineMode(database)) fail("pipeline mode");
}

int main(int count, char **arguments) {
  static const struct {
    const char *name, *sql;
    void (*insert)(int first, int count);
  } methods[] = {{"unnest", unnest_sql, insert_unnest},
                 {"recordset", recordset_sql, insert_recordset},
                 {"copy", NULL, insert_copy},
                 {"pipeline", row_sql, insert_pipeline}};
  int method = 0;
  while (count == 7 && method < 4 && strcmp(methods[method].name, arguments[1])) method++;
  if (count != 7 || method == 4) {
    fprintf(stderr, "usage: bare-postgresql unnest|recordset|copy|pipeline CONNINFO FILE ROWS GROUP FIRST\n");
    return 2;
  }
  database = PQconnectdb(arguments[2]);
  if (PQstatus(database) != CONNECTION_OK) fail("connecting");
  FILE *file = fopen(arguments[3], "rb");
  answer = malloc(1 << 20);
  answer_length = file && answer ? fread(answer, 1, 1 << 20, file) : 0;
  if (answer_length == 0) fail(arguments[3]);
  int rows = atoi(arguments[4]), group = atoi(arguments[5]), first = atoi(arguments[6]);
  srandom((unsigned)time(NULL));
  if (methods[method].sql) expect(PQprepare(database, "insert", methods[method].sql, 0, NULL), PGRES_COMMAND_OK);
  double begin = now();
  for (int done = 0; done < rows; done += group) methods[method].insert(first + done, rows - done < group ? rows - done : group);
  printf("%.6f\n", now() - begin);
  PQfinish(database);
  return 0;
}
