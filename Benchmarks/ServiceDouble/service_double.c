// A double of all ML services, for measuring farm: it answers every call with 4 KB, over kept connections, on one thread and
// one port.
//
//   service-double WIDTH HEIGHT [DELAY [BYTES [PHOTO]]]     prints the port it listens on; SIGTERM ends it
//
// It answers at once, or DELAY milliseconds after a request, any number of them at the same time. BYTES is the size of an answer
// (512 or more; below 1024, the detectors see only one box). GET /photo/... is answered at once with the file PHOTO.
//
// The path names the service: GET /blip?url=..., POST /yolov8. WIDTH and HEIGHT are those of the pictures: the three
// detectors see the same four boxes there, one of them a person, each a little differently. `metadata.answered_at` of an
// answer is when it was sent, in seconds since 1970.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 8192, HEAD = 256, EVENTS = 256 };

// Bytes of an answer's body.
static size_t body_size = 4096;

struct answer {
  const char *service;
  char *text;
  size_t length;
  // Where in the text; NULL in a photo.
  char *answered_at;
};

struct connection {
  int descriptor;
  char header[HEADER];
  size_t filled;
  // Of a request's body, what is still to come.
  size_t rest;
  struct answer *answer;
  // When it is answered, and who is answered after it.
  double due;
  struct connection *next;
};

static const char *const services[] = {"blip", "clip",    "colors", "detectron2", "face", "inception_v3", "metadata",
                                       "nsfw2", "ocr",    "ollama", "pose",       "rtdetr", "yolov8",     "health",  "photo"};
enum { COUNT = sizeof services / sizeof services[0] };
static struct answer answers[COUNT];
// How long every call takes, in seconds.
static double delay;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// MARK: What is answered

static void append(char *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t length = strlen(text);
  vsnprintf(text + length, body_size + 1 - length, format, arguments);
  va_end(arguments);
}

static void append_object(char *text, const char *label, const char *emoji, double confidence, double x, double y,
                          double width, double height) {
  append(text,
         "%s{\"label\":\"%s\",\"emoji\":\"%s\",\"confidence\":%.3f,"
         "\"bbox\":{\"x\":%.1f,\"y\":%.1f,\"width\":%.1f,\"height\":%.1f}}",
         text[strlen(text) - 1] == '[' ? "" : ",", label, emoji, confidence, x, y, width, height);
}

static void append_predictions(char *text, const char *service, double width, double height) {
  int detector = !strcmp(service, "yolov8") ? 1 : !strcmp(service, "rtdetr") ? 2 : !strcmp(service, "detectron2") ? 3 : 0;
  if (detector) {
    // Detectors differ by a pixel or two, so that a third one's answer does not make another box of it.
    double off = detector - 2;
    double sure = 0.95 - 0.02 * detector;
    append_object(text, "person", "🧑", sure, 0.10 * width + off, 0.15 * height + off, 0.25 * width, 0.70 * height);
    if (body_size < 1024) return;
    append_object(text, "dog", "🐕", sure - 0.1, 0.45 * width + off, 0.55 * height + off, 0.30 * width, 0.35 * height);
    append_object(text, "bicycle", "🚲", sure - 0.2, 0.40 * width + off, 0.10 * height, 0.35 * width - off, 0.40 * height);
    append_object(text, "potted plant", "🪴", sure - 0.3, 0.80 * width + off, 0.20 * height - off, 0.15 * width, 0.25 * height);
  } else if (!strcmp(service, "blip") || !strcmp(service, "ollama")) {
    append(text, "{\"text\":\"a person walks a dog past a bicycle\",\"emoji_mappings\":["
                 "{\"word\":\"person\",\"emoji\":\"🧑\"},{\"word\":\"dog\",\"emoji\":\"🐕\"},"
                 "{\"word\":\"bicycle\",\"emoji\":\"🚲\",\"shiny\":false}]}");
  } else if (!strcmp(service, "clip") || !strcmp(service, "inception_v3")) {
    append(text, "{\"label\":\"dog\",\"emoji\":\"🐕\",\"confidence\":0.81},"
                 "{\"label\":\"bicycle\",\"emoji\":\"🚲\",\"confidence\":0.52},"
                 "{\"label\":\"street\",\"emoji\":\"🛣️\",\"confidence\":0.31}");
  } else if (!strcmp(service, "face")) {
    append(text, "{\"label\":\"face\",\"emoji\":\"🙂\",\"confidence\":0.93,"
                 "\"bbox\":{\"x\":10.0,\"y\":12.0,\"width\":40.0,\"height\":52.0},"
                 "\"keypoints\":{\"left_eye\":[20.0,30.0],\"right_eye\":[40.0,30.0]}}");
  } else if (!strcmp(service, "pose")) {
    append(text, "{\"landmarks\":[{\"x\":0.50,\"y\":0.12,\"visibility\":0.98},{\"x\":0.45,\"y\":0.30},{\"x\":0.55,\"y\":0.30}],"
                 "\"pose_analysis\":{\"posture\":\"standing\"}}");
  } else if (!strcmp(service, "ocr")) {
    append(text, "{\"text\":\"BAKERY\",\"has_text\":true,\"emoji\":\"💬\",\"confidence\":0.77}");
  } else if (!strcmp(service, "nsfw2")) {
    append(text, "{\"nsfw\":false,\"confidence\":0.02,\"emoji\":\"\"}");
  } else if (!strcmp(service, "colors")) {
    append(text, "{\"type\":\"color_analysis\",\"palette\":[\"#203040\",\"#d0c0a0\",\"#607050\"]}");
  } else {
    append(text, "{\"width\":%.0f,\"height\":%.0f,\"format\":\"JPEG\"}", width, height);
  }
}

// Models say more than farm reads of it: numbers by name fill the answer to its size.
static void make_answer(struct answer *answer, const char *service, double width, double height) {
  char *body = calloc(body_size + 1, 1);
  answer->text = malloc(body_size + HEAD);
  if (!body || !answer->text) fail("service-double");
  append(body, "{\"service\":\"%s\",\"status\":\"success\",\"predictions\":[", service);
  append_predictions(body, service, width, height);
  append(body, "],\"metadata\":{\"processing_time\":%.3f,\"answered_at\":0000000000.000000,\"model_info\":{\"framework\":"
               "\"double\",\"features\":[", delay > 0.001 ? delay : 0.001);
  for (int i = 0; strlen(body) + 96 < body_size; i++)
    append(body, "%s{\"name\":\"feature_%d\",\"weight\":%.4f}", i ? "," : "", i, 1.0 / (i + 2));
  append(body, "],\"note\":\"");
  while (strlen(body) < body_size - 4) append(body, ".");
  append(body, "\"}}}");
  answer->service = service;
  answer->length = (size_t)snprintf(answer->text, body_size + HEAD,
                                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                    body_size, body);
  answer->answered_at = strstr(answer->text, "0000000000.000000");
  free(body);
}

static void make_photo(struct answer *answer, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) fail(path);
  size_t size = (size_t)ftell(file);
  rewind(file);
  answer->text = malloc(size + HEAD);
  if (!answer->text) fail(path);
  int head = snprintf(answer->text, HEAD, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n", size);
  if (fread(answer->text + head, 1, size, file) != size) fail(path);
  fclose(file);
  answer->length = size + (size_t)head;
  answer->answered_at = NULL;
}

// MARK: Connections

static struct answer *answer_to(const char *target) {
  for (int i = 0; i < COUNT; i++) {
    size_t length = strlen(services[i]);
    if (!strncmp(target + 1, services[i], length) && strchr(" ?/", target[1 + length])) return &answers[i];
  }
  fprintf(stderr, "service-double: no such service: %.40s\n", target);
  exit(1);
}

static int send_all(int descriptor, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -1;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 0;
}

// Requests that wait for their time. All wait equally long, so that the first one is due first.
static struct connection *first_waiting, *last_waiting;

static double now_in_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void stamp(char *answered_at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  char text[32];
  int width = snprintf(text, sizeof text, "%010ld.%06ld", (long)now.tv_sec, now.tv_nsec / 1000);
  memcpy(answered_at, text, (size_t)width);
}

static int reply(struct connection *connection) {
  if (connection->answer->answered_at) stamp(connection->answer->answered_at);
  int failed = send_all(connection->descriptor, connection->answer->text, connection->answer->length);
  connection->answer = NULL;
  return failed;
}

static int reply_in_time(struct connection *connection) {
  if (delay <= 0 || !connection->answer->answered_at) return reply(connection);
  connection->due = now_in_seconds() + delay;
  connection->next = NULL;
  if (last_waiting)
    last_waiting->next = connection;
  else
    first_waiting = connection;
  last_waiting = connection;
  return 0;
}

// Answers those whose time has come. One whose client has gone fails, and is closed when the poller tells of it.
static void reply_to_due(void) {
  double now = now_in_seconds();
  while (first_waiting && first_waiting->due <= now) {
    struct connection *connection = first_waiting;
    first_waiting = connection->next;
    if (!first_waiting) last_waiting = NULL;
    reply(connection);
  }
}

// For epoll_pwait2; NULL for ever. (Milliseconds are too coarse: 51 instead of 50 would be two jobs in a hundred.)
static const struct timespec *time_left(void) {
  static struct timespec time;
  if (!first_waiting) return NULL;
  double left = first_waiting->due - now_in_seconds();
  if (left < 0) left = 0;
  time.tv_sec = (time_t)left;
  time.tv_nsec = (long)((left - (double)time.tv_sec) * 1e9);
  return &time;
}

static size_t content_length(const char *header) {
  const char *field = strcasestr(header, "\r\ncontent-length:");
  return field ? strtoull(field + 17, NULL, 10) : 0;
}

// Takes what has come: whole requests are answered. Returns -1 when the connection is over.
static int take(struct connection *connection) {
  static char waste[1 << 18];
  if (connection->rest > 0) {
    size_t wanted = connection->rest < sizeof waste ? connection->rest : sizeof waste;
    ssize_t count = recv(connection->descriptor, waste, wanted, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN ? 0 : -1;
    connection->rest -= (size_t)count;
    return connection->rest == 0 ? reply_in_time(connection) : 0;
  }
  ssize_t count = recv(connection->descriptor, connection->header + connection->filled, HEADER - 1 - connection->filled, 0);
  if (count <= 0) return count < 0 && errno == EAGAIN ? 0 : -1;
  connection->filled += (size_t)count;
  connection->header[connection->filled] = 0;
  char *end = strstr(connection->header, "\r\n\r\n");
  if (!end) return connection->filled < HEADER - 1 ? 0 : -1;
  end[2] = 0;
  char *target = strchr(connection->header, ' ');
  if (!target) return -1;
  connection->answer = answer_to(target + 1);
  size_t body = content_length(connection->header);
  size_t here = connection->filled - (size_t)(end + 4 - connection->header);
  if (strcasestr(connection->header, "\r\nexpect: 100-continue") &&
      send_all(connection->descriptor, "HTTP/1.1 100 Continue\r\n\r\n", 25))
    return -1;
  connection->filled = 0;
  connection->rest = body > here ? body - here : 0;
  return connection->rest == 0 ? reply_in_time(connection) : 0;
}

static int listening_socket(void) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) || listen(descriptor, 512) ||
      getsockname(descriptor, (struct sockaddr *)&address, &length))
    fail("service-double: cannot listen");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return descriptor;
}

static void welcome(int listener, int poller) {
  int descriptor;
  while ((descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    int yes = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) fail("service-double");
    connection->descriptor = descriptor;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event)) fail("service-double: epoll");
  }
}

int main(int count, char **arguments) {
  if (count >= 5) body_size = strtoul(arguments[4], NULL, 10);
  if (count < 3 || count > 6 || body_size < 512) {
    fprintf(stderr, "usage: service-double WIDTH HEIGHT [DELAY [BYTES [PHOTO]]]\n");
    return 2;
  }
  if (count >= 4) delay = atof(arguments[3]) / 1000;
  for (int i = 0; i < COUNT; i++) make_answer(&answers[i], services[i], atof(arguments[1]), atof(arguments[2]));
  if (count == 6) make_photo(&answers[COUNT - 1], arguments[5]);
  int listener = listening_socket();
  int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) fail("service-double: epoll");
  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_pwait2(poller, events, EVENTS, time_left(), NULL);
    reply_to_due();
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      if (!connection) {
        welcome(listener, poller);
      } else if (take(connection)) {
        close(connection->descriptor);
        // One that waits for its answer is still in the row. Few clients go away, so the memory does not matter.
        connection->descriptor = -1;
        if (!connection->answer) free(connection);
      }
    }
  }
}
