// What a call of a service costs that is made by bare libcurl, for measuring farm.
//
//   bare-http COUNT URL     makes COUNT requests, one after another, over one kept connection
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

static size_t waste(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  (void)context;
  return size * count;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: bare-http COUNT URL\n");
    return 2;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *curl = curl_easy_init();
  if (!curl) return 1;
  curl_easy_setopt(curl, CURLOPT_URL, arguments[2]);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, waste);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  for (int i = atoi(arguments[1]); i > 0; i--) {
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) continue;
    fprintf(stderr, "bare-http: %s: %s\n", arguments[2], curl_easy_strerror(code));
    return 1;
  }
  curl_easy_cleanup(curl);
  return 0;
}
