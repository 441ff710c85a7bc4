// What the embedded pipeline takes that has nothing of its own, for measuring farm: bare SQLite, libcurl and simdjson, one call
// after another, on one thread.
//
//   bare-up DB DONE CROPS PORT
//
// DB is an embedded file of farm's with jobs that wait. DONE is the same file after farm has done them all: the rows of
// merged_boxes, postprocessing and consensus are taken from there, so that the same bytes are stored. CROPS is a folder with the
// crops that are posted: IMAGE_N.jpg, N from 1 on, first that of the person. The services listen on PORT.
//
// In groups of 32, a transaction each, with their queue's rows in and out as farm has them:
//   jobs        the photo is posted to the service, the answer parsed, its row stored
//   merging     the detectors' rows are read and parsed, the boxes stored
//   enriching   the boxes are read, each crop is posted to colors, the person's also to face and pose; parsed, stored
//   consensus   all that is known of the image is read and parsed, one row stored
// Prints the processor seconds that took, before them those of the posts alone.
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <simdjson.h>

#include "sqlite.hpp"

namespace {

constexpr int group = 32;

double processor() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// MARK: What farm has stored

struct enrichment {
  std::string service, data, status;
  size_t box;
};

struct image {
  // merged_data and source_result_ids of each box.
  std::vector<std::pair<std::string, std::string>> boxes;
  std::vector<enrichment> enrichments;
  std::string consensus;
};

std::map<int64_t, image> read_done(const char *path) {
  std::map<int64_t, image> images;
  std::map<int64_t, size_t> places;
  sqlite3 *done = open_file(path, SQLITE_OPEN_READONLY);
  statement boxes(done, "SELECT image_id, merged_id, merged_data, source_result_ids FROM merged_boxes ORDER BY merged_id");
  while (boxes.row()) {
    image &image = images[boxes.integer(0)];
    places[boxes.integer(1)] = image.boxes.size();
    image.boxes.emplace_back(boxes.text(2), boxes.text(3));
  }
  statement rows(done, "SELECT image_id, merged_box_id, service, data, status FROM postprocessing ORDER BY postprocessing_id");
  while (rows.row())
    images[rows.integer(0)].enrichments.push_back({rows.text(2), rows.text(3), rows.text(4), places[rows.integer(1)]});
  statement consensus(done, "SELECT image_id, consensus_data FROM consensus");
  while (consensus.row()) images[consensus.integer(0)].consensus = consensus.text(1);
  return images;
}

// MARK: Services

class services {
public:
  // Processor seconds of all calls.
  double taken = 0;

  explicit services(const char *port) : base(std::string("http://127.0.0.1:") + port + "/") {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  }
  const std::string &post(const std::string &service, const std::string &path) {
    double begin = processor();
    curl_mime *form = curl_mime_init(curl);
    curl_mimepart *part = curl_mime_addpart(form);
    curl_mime_name(part, "file");
    curl_mime_filedata(part, path.c_str());
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
    curl_easy_setopt(curl, CURLOPT_URL, (base + service).c_str());
    answer.clear();
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) fail(path.c_str(), curl_easy_strerror(code));
    curl_mime_free(form);
    taken += processor() - begin;
    return answer;
  }

private:
  static size_t take(char *bytes, size_t size, size_t count, void *answer) {
    static_cast<std::string *>(answer)->append(bytes, size * count);
    return size * count;
  }

  std::string base, answer;
  CURL *curl;
};

// MARK: The pipeline

class pipeline {
public:
  pipeline(const char *path, const char *done_path, const char *crops, const char *port)
      : database(open_file(path, SQLITE_OPEN_READWRITE)), done(read_done(done_path)), crops(crops), calls(port) {
    sqlite3_exec(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", nullptr, nullptr, nullptr);
  }

  double posting() const { return calls.taken; }

  void run() {
    statement queues(database, "SELECT DISTINCT queue FROM farm_queue ORDER BY queue");
    std::vector<std::string> names;
    while (queues.row()) names.push_back(queues.text(0));
    for (bool busy = true; busy;) {
      busy = false;
      for (const auto &name : names) busy |= work(name);
      while (merge()) {
      }
      while (enrich()) {
      }
      while (consense()) {
      }
    }
  }

private:
  struct message {
    int64_t id;
    std::string body;
  };

  std::vector<message> take(const std::string &queue, int count) {
    static statement take(database, "SELECT id, body FROM farm_queue WHERE queue = ? AND holder IS NULL AND delayed = 0 "
                                    "ORDER BY due_at, id LIMIT ?");
    std::vector<message> messages;
    take.with(queue, static_cast<int64_t>(count));
    while (take.row()) messages.push_back({take.integer(0), take.text(1)});
    return messages;
  }

  void begin() { sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr); }

  void commit(const std::vector<message> &taken) {
    static statement remove(database, "DELETE FROM farm_queue WHERE id = ?");
    for (const auto &message : taken) remove.with(message.id).run();
    if (sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) fail("COMMIT", sqlite3_errmsg(database));
  }

  void trigger(const std::string &queue, int64_t image) {
    static statement insert(database, "INSERT INTO farm_queue (queue, body, due_at) VALUES (?, ?, ?)");
    std::string body = "{\"image_id\": " + std::to_string(image) + ", \"service\": \"bare\", \"worker_id\": \"bare_up\"}";
    insert.with(queue, body, static_cast<int64_t>(time(nullptr)) * 1000).run();
  }

  simdjson::dom::element parsed(const std::string &text) {
    simdjson::dom::element element;
    auto error = parser.parse(text).get(element);
    if (error) fail("JSON", simdjson::error_message(error));
    return element;
  }

  int64_t image_of(const message &message) { return parsed(message.body)["image_id"].get_int64().value_unsafe(); }

  bool work(const std::string &queue) {
    static statement insert(database, "INSERT INTO results (image_id, service, data, status, processing_time, worker_id, job_id) "
                                      "VALUES (?, ?, ?, ?, 0.01, 'bare_up', ?)");
    static std::map<int64_t, std::pair<int, int>> counts; // of an image: answers, detectors' answers
    struct result {
      int64_t image;
      std::string data, status, job;
    };
    auto taken = take(queue, group);
    std::string service = queue.substr(strlen("queue_"));
    bool detects = service == "yolov8" || service == "rtdetr" || service == "detectron2";
    std::vector<result> results;
    for (const auto &message : taken) {
      auto job = parsed(message.body);
      result result{job["image_id"].get_int64().value_unsafe(), "", "", std::string(job["job_id"].get_string().value_unsafe())};
      std::string path(job["image_path"].get_string().value_unsafe());
      result.data = calls.post(service, path);
      result.status = std::string(parsed(result.data)["status"].get_string().value_unsafe());
      results.push_back(std::move(result));
    }
    begin();
    for (const auto &result : results) {
      insert.with(result.image, service, result.data, result.status, result.job).run();
      auto &[answers, detectors] = counts[result.image];
      answers++;
      detectors += detects;
      if (detects && detectors == 3) trigger("queue_bbox_merge", result.image);
      if (answers == 11) trigger("queue_consensus", result.image);
    }
    commit(taken);
    return !taken.empty();
  }

  // Reads and parses the answers of an image; the detectors', or all.
  void read_results(int64_t image, bool all) {
    static statement some(database, "SELECT data FROM results WHERE image_id = ? AND status = 'success' "
                                    "AND service IN ('yolov8', 'rtdetr', 'detectron2')");
    static statement every(database, "SELECT data FROM results WHERE image_id = ? AND status = 'success'");
    statement &rows = all ? every : some;
    rows.with(image);
    while (rows.row()) parsed(rows.text(0));
  }

  bool merge() {
    static statement insert(database, "INSERT INTO merged_boxes (image_id, source_result_ids, merged_data, status, worker_id) "
                                      "VALUES (?, ?, ?, 'success', 'bare_up')");
    auto taken = take("queue_bbox_merge", group);
    begin();
    for (const auto &message : taken) {
      int64_t image = image_of(message);
      read_results(image, false);
      for (const auto &[data, sources] : done[image].boxes) insert.with(image, sources, data).run();
      trigger("queue_spatial_enrichment", image);
    }
    commit(taken);
    return !taken.empty();
  }

  bool enrich() {
    static statement boxes(database, "SELECT merged_id, merged_data FROM merged_boxes WHERE image_id = ? ORDER BY merged_id");
    static statement insert(database, "INSERT INTO postprocessing (image_id, merged_box_id, service, data, status) "
                                      "VALUES (?, ?, ?, ?, ?)");
    auto taken = take("queue_spatial_enrichment", group);
    std::map<int64_t, std::vector<int64_t>> ids;
    for (const auto &message : taken) {
      int64_t image = image_of(message);
      boxes.with(image);
      while (boxes.row()) {
        ids[image].push_back(boxes.integer(0));
        parsed(boxes.text(1));
      }
      int crop = 0;
      for (const auto &row : done[image].enrichments) {
        if (row.service == "colors") crop++;
        std::string path = crops + "/" + std::to_string(image) + "_" + std::to_string(row.service == "colors" ? crop : 1) + ".jpg";
        parsed(calls.post(row.service, path));
      }
    }
    begin();
    for (const auto &message : taken) {
      int64_t image = image_of(message);
      for (const auto &row : done[image].enrichments)
        insert.with(image, ids[image][row.box], row.service, row.data, row.status).run();
      trigger("queue_consensus", image);
    }
    commit(taken);
    return !taken.empty();
  }

  // An image's first trigger may come before its crops' answers: it is computed once, when all is there.
  bool consense() {
    static statement boxes(database, "SELECT merged_data FROM merged_boxes WHERE image_id = ?");
    static statement rows(database, "SELECT service, data FROM postprocessing WHERE image_id = ?");
    static statement insert(database, "INSERT INTO consensus (image_id, consensus_data, processing_time) VALUES (?, ?, 0.001)");
    static std::set<int64_t> computed;
    auto taken = take("queue_consensus", group);
    begin();
    for (const auto &message : taken) {
      int64_t image = image_of(message);
      if (!computed.insert(image).second) continue;
      read_results(image, true);
      boxes.with(image);
      while (boxes.row()) parsed(boxes.text(0));
      rows.with(image);
      while (rows.row()) parsed(rows.text(1));
      insert.with(image, done[image].consensus).run();
    }
    commit(taken);
    return !taken.empty();
  }

  sqlite3 *database;
  std::map<int64_t, image> done;
  std::string crops;
  services calls;
  simdjson::dom::parser parser;
};

} // namespace

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: bare-up DB DONE CROPS PORT\n");
    return 2;
  }
  pipeline pipeline(arguments[1], arguments[2], arguments[3], arguments[4]);
  double begin = processor();
  pipeline.run();
  printf("%.6f %.6f\n", pipeline.posting(), processor() - begin);
  return 0;
}
