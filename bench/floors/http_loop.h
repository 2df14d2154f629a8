// bench/floors/http_loop.h: HTTP/1.1 requests to one URL on one thread: epoll and libcurl's multi interface,
// connections kept alive, handles used again. As little as it takes.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pointsman::bench {

// One POST. The owner keeps it alive until OnEnd. Both calls come on the loop's thread.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual bool OnBody(std::string_view bytes) = 0;       // false aborts the transfer
  virtual void OnEnd(CURLcode result, long status) = 0;  // last call; may delete the transfer

  std::string request;  // the body
};

class HttpLoop {
 public:
  explicit HttpLoop(std::string url);
  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  void Start(Transfer* transfer);  // any thread

 private:
  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int OnTimer(CURLM* multi, long milliseconds, void* self);
  static std::size_t OnWrite(char* data, std::size_t size, std::size_t count, void* transfer);

  void Run();
  int TimeToWait() const;  // milliseconds for epoll_wait
  void AddPosted();
  void ReadMessages();
  CURL* TakeHandle();

  const std::string url_;
  curl_slist* headers_ = nullptr;
  CURLM* multi_ = nullptr;
  int epoll_ = -1;
  int wake_ = -1;
  std::optional<std::chrono::steady_clock::time_point> due_;  // when curl wants to be called
  std::vector<CURL*> idle_;

  std::mutex mutex_;  // guards what follows
  std::vector<Transfer*> posted_;
  bool stopped_ = false;

  std::thread thread_;
};

}  // namespace pointsman::bench
