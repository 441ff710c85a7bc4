// SQLite for bare-up: a file, and statements with their values.
#ifndef BARE_UP_SQLITE_HPP
#define BARE_UP_SQLITE_HPP
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sqlite3.h>

[[noreturn]] inline void fail(const char *what, const char *why) {
  fprintf(stderr, "bare-up: %s: %s\n", what, why);
  exit(1);
}

inline sqlite3 *open_file(const char *path, int flags) {
  sqlite3 *database;
  if (sqlite3_open_v2(path, &database, flags, nullptr) != SQLITE_OK) fail(path, sqlite3_errmsg(database));
  return database;
}

// A prepared statement. It is reset when it has no more rows.
class statement {
public:
  statement(sqlite3 *database, const char *sql) : database(database) {
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK)
      fail(sql, sqlite3_errmsg(database));
  }
  ~statement() { sqlite3_finalize(handle); }
  statement(const statement &) = delete;

  template <typename... Values> statement &with(const Values &...values) {
    int place = 0;
    (bind(++place, values), ...);
    return *this;
  }
  bool row() {
    int code = sqlite3_step(handle);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(sqlite3_sql(handle), sqlite3_errmsg(database));
    sqlite3_reset(handle);
    return false;
  }
  void run() {
    while (row()) {
    }
  }
  int64_t integer(int column) { return sqlite3_column_int64(handle, column); }
  std::string text(int column) {
    auto bytes = static_cast<const char *>(sqlite3_column_blob(handle, column));
    return std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(handle, column)));
  }

private:
  void bind(int place, int64_t value) { sqlite3_bind_int64(handle, place, value); }
  void bind(int place, const std::string &value) {
    sqlite3_bind_text(handle, place, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  }

  sqlite3 *database;
  sqlite3_stmt *handle = nullptr;
};

#endif
