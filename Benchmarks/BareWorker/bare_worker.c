// What a worker takes that has nothing of its own, for measuring farm: bare librabbitmq, libcurl and libpq, one job after
// another, on one thread.
//
//   bare-worker COUNT PREFETCH QUEUE TRIGGERS SERVICE URL
//
// Does COUNT jobs of a queue: takes the message, posts the file that its image_path names to URL, stores the answer as a row of
// `results` (a transaction each), publishes a trigger to the queue TRIGGERS (persistent, mandatory, confirmed, on a connection of
// its own), acknowledges. Logs in as farm's variables QUEUE_… and DB_… say. Prints its processor seconds for all jobs, before them
// those of the posts alone.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <curl/curl.h>
#include <libpq-fe.h>

static void fail(const char *what, const char *why) {
  fprintf(stderr, "bare-worker: %s: %s\n", what, why);
  exit(1);
}

static const char *setting(const char *name) {
  const char *value = getenv(name);
  if (!value) fail(name, "is not set");
  return value;
}

static double processor(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// MARK: Queue

static void check(int status, const char *what) {
  if (status != AMQP_STATUS_OK) fail(what, amqp_error_string2(status));
}

static void check_reply(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail(what, "the broker refuses");
}

static amqp_connection_state_t connect_to_broker(void) {
  amqp_connection_state_t connection = amqp_new_connection();
  check(amqp_socket_open(amqp_tcp_socket_new(connection), "127.0.0.1", atoi(setting("QUEUE_PORT"))), "connecting");
  check_reply(amqp_login(connection, setting("QUEUE_VHOST"), 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN,
                         setting("QUEUE_USER"), setting("QUEUE_PASSWORD")),
              "login");
  amqp_channel_open(connection, 1);
  check_reply(amqp_get_rpc_reply(connection), "opening a channel");
  return connection;
}

static void publish(amqp_connection_state_t connection, const char *queue, const char *text) {
  amqp_basic_properties_t properties = {0};
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.delivery_mode = 2;
  check(amqp_basic_publish(connection, 1, amqp_empty_bytes, amqp_cstring_bytes(queue), 1, 0, &properties,
                           amqp_cstring_bytes(text)),
        "publishing");
  amqp_frame_t frame;
  amqp_maybe_release_buffers(connection);
  check(amqp_simple_wait_frame(connection, &frame), "waiting for the confirmation");
  if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
    fail(queue, "a message was not confirmed");
}

// A member's value as the text up to its end; farm's own messages hold no escapes here.
static const char *member(amqp_bytes_t body, const char *key, char end, char *value, size_t room) {
  char text[4096], name[64];
  size_t count = body.len < sizeof text - 1 ? body.len : sizeof text - 1;
  memcpy(text, body.bytes, count);
  text[count] = 0;
  snprintf(name, sizeof name, "\"%s\":", key);
  char *start = strstr(text, name);
  if (!start) fail(key, "not in the message");
  start += strlen(name);
  while (*start == ' ' || *start == '"') start++;
  size_t length = strcspn(start, (char[]){end, ',', '}', 0});
  if (length >= room) fail(key, "too long");
  memcpy(value, start, length);
  value[length] = 0;
  return value;
}

// MARK: Service

static char answer[1 << 20];
static size_t answer_length;

static size_t take_answer(char *bytes, size_t size, size_t count, void *context) {
  (void)context;
  if (answer_length + size * count >= sizeof answer) return 0;
  memcpy(answer + answer_length, bytes, size * count);
  answer_length += size * count;
  return size * count;
}

static void post(CURL *curl, const char *path) {
  curl_mime *form = curl_mime_init(curl);
  curl_mimepart *part = curl_mime_addpart(form);
  curl_mime_name(part, "file");
  curl_mime_filedata(part, path);
  curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
  answer_length = 0;
  CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) fail(path, curl_easy_strerror(code));
  curl_mime_free(form);
}

// MARK: Store

static const char row_sql[] =
    "INSERT INTO results (image_id, service, data, status, processing_time, worker_id, job_id) VALUES ($1, $2, $3, 'success', "
    "0.01, 'bare_worker', $4)";

static void store(PGconn *database, const char *image, const char *service, const char *job) {
  const char *values[4] = {image, service, answer, job};
  int lengths[4] = {0, 0, (int)answer_length, 0};
  PGresult *result = PQexecPrepared(database, "row", 4, values, lengths, NULL, 0);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail("storing", PQresultErrorMessage(result));
  PQclear(result);
}

static PGconn *connect_to_database(void) {
  const char *keys[] = {"host", "port", "dbname", "user", "password", "sslmode", NULL};
  const char *values[] = {setting("DB_HOST"),     setting("DB_PORT"),    setting("DB_NAME"), setting("DB_USER"),
                          setting("DB_PASSWORD"), setting("DB_SSLMODE"), NULL};
  PGconn *database = PQconnectdbParams(keys, values, 0);
  if (PQstatus(database) != CONNECTION_OK) fail("connecting", PQerrorMessage(database));
  PQclear(PQprepare(database, "row", row_sql, 0, NULL));
  return database;
}

int main(int count, char **arguments) {
  if (count != 7) {
    fprintf(stderr, "usage: bare-worker COUNT PREFETCH QUEUE TRIGGERS SERVICE URL\n");
    return 2;
  }
  int jobs = atoi(arguments[1]);
  const char *triggers = arguments[4], *service = arguments[5];
  PGconn *database = connect_to_database();
  amqp_connection_state_t publishing = connect_to_broker(), consuming = connect_to_broker();
  amqp_confirm_select(publishing, 1);
  check_reply(amqp_get_rpc_reply(publishing), "asking for confirmations");
  amqp_basic_qos(consuming, 1, 0, (uint16_t)atoi(arguments[2]), 0);
  check_reply(amqp_get_rpc_reply(consuming), "setting the prefetch");
  amqp_basic_consume(consuming, 1, amqp_cstring_bytes(arguments[3]), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  check_reply(amqp_get_rpc_reply(consuming), "consuming");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, arguments[6]);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);

  double begin = processor(), posting = 0;
  for (int done = 0; done < jobs; done++) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(consuming);
    check_reply(amqp_consume_message(consuming, &envelope, NULL, 0), "taking a message");
    char image[32], path[1024], job[64], trigger[256];
    member(envelope.message.body, "image_path", '"', path, sizeof path);
    double before = processor();
    post(curl, path);
    posting += processor() - before;
    answer[answer_length] = 0;
    store(database, member(envelope.message.body, "image_id", ',', image, sizeof image), service,
          member(envelope.message.body, "job_id", '"', job, sizeof job));
    snprintf(trigger, sizeof trigger, "{\"image_id\": %s, \"service\": \"%s\", \"worker_id\": \"bare_worker\"}", image, service);
    publish(publishing, triggers, trigger);
    check(amqp_basic_ack(consuming, 1, envelope.delivery_tag, 0), "acknowledging");
    amqp_destroy_envelope(&envelope);
  }
  printf("%.6f %.6f\n", posting, processor() - begin);
  return 0;
}
