// What a plain client of librabbitmq reaches, for measuring farm.
//
//   bare-rabbitmq publish PORT COUNT WINDOW FILE QUEUE...   publishes COUNT messages to the queues in turn, persistent,
//       mandatory, at most WINDOW ahead of their confirmations; FILE has the body
//   bare-rabbitmq consume PORT COUNT PREFETCH ACKS QUEUE    takes COUNT messages, and acknowledges every ACKS of them at once
//
// Logs in on 127.0.0.1 as the variables QUEUE_USER, QUEUE_PASSWORD and QUEUE_VHOST say. Prints the seconds from the first message to the last confirmation or acknowledgement.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

static void check(int status, const char *what) {
  if (status == AMQP_STATUS_OK) return;
  fprintf(stderr, "bare-rabbitmq: %s: %s\n", what, amqp_error_string2(status));
  exit(1);
}

static void check_reply(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  fprintf(stderr, "bare-rabbitmq: %s failed\n", what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static const char *setting(const char *name) {
  const char *value = getenv(name);
  if (value) return value;
  fprintf(stderr, "bare-rabbitmq: %s is not set\n", name);
  exit(2);
}

static amqp_connection_state_t connect_to(int port) {
  amqp_connection_state_t connection = amqp_new_connection();
  check(amqp_socket_open(amqp_tcp_socket_new(connection), "127.0.0.1", port), "connecting");
  check_reply(amqp_login(connection, setting("QUEUE_VHOST"), 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN,
                         setting("QUEUE_USER"), setting("QUEUE_PASSWORD")),
              "login");
  amqp_channel_open(connection, 1);
  check_reply(amqp_get_rpc_reply(connection), "opening a channel");
  return connection;
}

// MARK: Publishing

// Which messages are confirmed: the broker confirms one, or all up to one, in any order.
struct confirmations {
  char *have;
  uint64_t lowest;
  int count;
};

static void wait_for_confirmation(amqp_connection_state_t connection, struct confirmations *confirmations) {
  amqp_frame_t frame;
  amqp_maybe_release_buffers(connection);
  check(amqp_simple_wait_frame(connection, &frame), "waiting for confirmations");
  if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
    fprintf(stderr, "bare-rabbitmq: a message was not confirmed\n");
    exit(1);
  }
  const amqp_basic_ack_t *ack = frame.payload.method.decoded;
  for (uint64_t tag = ack->multiple ? confirmations->lowest : ack->delivery_tag; tag <= ack->delivery_tag; tag++) {
    confirmations->count += !confirmations->have[tag];
    confirmations->have[tag] = 1;
  }
  if (ack->multiple) confirmations->lowest = ack->delivery_tag + 1;
}

static amqp_bytes_t body_of(const char *path) {
  static char bytes[1 << 20];
  FILE *file = fopen(path, "rb");
  size_t count = file ? fread(bytes, 1, sizeof bytes, file) : 0;
  if (count == 0) {
    fprintf(stderr, "bare-rabbitmq: %s cannot be read\n", path);
    exit(1);
  }
  fclose(file);
  return (amqp_bytes_t){count, bytes};
}

static void publish(amqp_connection_state_t connection, int count, int window, amqp_bytes_t body, char **queues, int kinds) {
  amqp_confirm_select(connection, 1);
  check_reply(amqp_get_rpc_reply(connection), "asking for confirmations");
  amqp_basic_properties_t properties = {0};
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.delivery_mode = 2;
  struct confirmations confirmed = {calloc((size_t)count + 1, 1), 1, 0};
  for (int sent = 0; confirmed.count < count;) {
    while (sent < count && sent - confirmed.count < window) {
      amqp_bytes_t queue = amqp_cstring_bytes(queues[sent % kinds]);
      check(amqp_basic_publish(connection, 1, amqp_empty_bytes, queue, 1, 0, &properties, body), "publishing");
      sent++;
    }
    wait_for_confirmation(connection, &confirmed);
  }
  free(confirmed.have);
}

// MARK: Consuming

static void consume(amqp_connection_state_t connection, int count, int prefetch, int acks, const char *queue) {
  amqp_basic_qos(connection, 1, 0, (uint16_t)prefetch, 0);
  check_reply(amqp_get_rpc_reply(connection), "setting the prefetch");
  amqp_basic_consume(connection, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  check_reply(amqp_get_rpc_reply(connection), "consuming");
  for (int taken = 1; taken <= count; taken++) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(connection);
    check_reply(amqp_consume_message(connection, &envelope, NULL, 0), "taking a message");
    if (taken % acks == 0 || taken == count)
      check(amqp_basic_ack(connection, 1, envelope.delivery_tag, 1), "acknowledging");
    amqp_destroy_envelope(&envelope);
  }
}

int main(int count, char **arguments) {
  int publishes = count >= 7 && !strcmp(arguments[1], "publish");
  if (!publishes && (count != 7 || strcmp(arguments[1], "consume"))) {
    fprintf(stderr, "usage: bare-rabbitmq publish PORT COUNT WINDOW FILE QUEUE... | consume PORT COUNT PREFETCH ACKS QUEUE\n");
    return 2;
  }
  amqp_connection_state_t connection = connect_to(atoi(arguments[2]));
  double begin = now();
  if (publishes)
    publish(connection, atoi(arguments[3]), atoi(arguments[4]), body_of(arguments[5]), arguments + 6, count - 6);
  else
    consume(connection, atoi(arguments[3]), atoi(arguments[4]), atoi(arguments[5]), arguments[6]);
  // The broker answers this after it has taken the last acknowledgement.
  amqp_channel_close(connection, 1, AMQP_REPLY_SUCCESS);
  printf("%.6f\n", now() - begin);
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
  return 0;
}
