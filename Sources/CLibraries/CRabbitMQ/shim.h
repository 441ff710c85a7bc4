// What Swift does not import of librabbitmq: the variadic login with its client properties, and a check of the socket
// before a call that would block.
#ifndef CRABBITMQ_SHIM_H
#define CRABBITMQ_SHIM_H

#include <poll.h>
#include <sys/time.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

static inline amqp_table_entry_t crabbitmq_flag(const char *name) {
  amqp_table_entry_t entry;
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

/// Logs in with PLAIN, asks for connection.blocked, and sets the name under which the broker lists the connection.
static inline amqp_rpc_reply_t crabbitmq_login(amqp_connection_state_t state, const char *virtual_host, int heartbeat,
                                               const char *name, const char *user, const char *password) {
  amqp_table_entry_t capabilities[] = {
      crabbitmq_flag("authentication_failure_close"), crabbitmq_flag("basic.nack"),
      crabbitmq_flag("connection.blocked"),           crabbitmq_flag("consumer_cancel_notify"),
      crabbitmq_flag("publisher_confirms"),
  };
  amqp_table_entry_t entries[2];
  amqp_table_t properties = {2, entries};
  entries[0].key = amqp_cstring_bytes("capabilities");
  entries[0].value.kind = AMQP_FIELD_KIND_TABLE;
  entries[0].value.value.table.num_entries = sizeof(capabilities) / sizeof(capabilities[0]);
  entries[0].value.value.table.entries = capabilities;
  entries[1].key = amqp_cstring_bytes("connection_name");
  entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
  entries[1].value.value.bytes = amqp_cstring_bytes(name);
  return amqp_login_with_properties(state, virtual_host, AMQP_DEFAULT_MAX_CHANNELS, AMQP_DEFAULT_FRAME_SIZE, heartbeat,
                                    &properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

/// Whether the socket takes bytes now.
static inline int crabbitmq_is_writable(int descriptor) {
  struct pollfd look = {descriptor, POLLOUT, 0};
  return poll(&look, 1, 0) > 0;
}

#endif
