#include "backends/http/transfer.h"

#include <boost/asio/async_result.hpp>
#include <cctype>
#include <cstdio>
#include <utility>

namespace pointsman::http {
namespace {

constexpr long kReadBuffer = 4 * 1024;     // bytes; a stream keeps it as long as it is open, and its events are short
constexpr long kUploadBuffer = 16 * 1024;  // curl's least

curl_slist* MakeHeaders(const EndpointOptions& options) {
  curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no waiting for "100 Continue" with long prompts
  for (const std::string& header : options.headers) list = curl_slist_append(list, header.c_str());
  return list;
}

// The host of a URL, without brackets, user name and port.
std::string_view Host(std::string_view url) {
  if (std::size_t scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (std::size_t user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find(':'));
}

// The URL without its path: what messages say.
std::string Origin(const std::string& url) {
  std::size_t scheme = url.find("://");
  return url.substr(0, url.find('/', scheme == std::string::npos ? 0 : scheme + 3));
}

std::string Seconds(std::chrono::milliseconds time) {
  char text[32];
  int n = std::snprintf(text, sizeof text, "%g s", static_cast<double>(time.count()) / 1000);
  return {text, static_cast<std::size_t>(n)};
}

const char* Stage(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return "name not resolved";
    case CURLE_COULDNT_CONNECT: return "could not connect";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR: return "TLS failed";
    case CURLE_GOT_NOTHING: return "the connection closed before the answer";
    case CURLE_PARTIAL_FILE: return "the connection closed inside the answer";
    case CURLE_SEND_ERROR: return "the connection broke while sending";
    case CURLE_RECV_ERROR: return "the connection broke while reading";
    default: return "the request failed";
  }
}

}  // namespace

bool IsLoopback(std::string_view url) {
  std::string_view host = Host(url);
  if (host == "::1" || host == "localhost" || host.ends_with(".localhost")) return true;
  if (!host.starts_with("127.")) return false;
  for (char c : host) {
    if (c != '.' && !std::isdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

Endpoint::Endpoint(Multi& multi, EndpointOptions options)
    : multi_(multi),
      options_(std::move(options)),
      headers_(MakeHeaders(options_), &curl_slist_free_all),
      loopback_(IsLoopback(options_.url)) {}

Endpoint::~Endpoint() {
  for (auto it = multi_.lent_.begin(); it != multi_.lent_.end();) {
    Call& call = *it++;
    if (call.endpoint != this) continue;
    if (call.draining()) {
      call.Abort();
      delete &call;
    } else {
      call.endpoint = nullptr;
    }
  }
}

std::unique_ptr<Call> Endpoint::Lend() {
  if (!idle_.empty()) {
    std::unique_ptr<Call> call = std::move(idle_.back());
    idle_.pop_back();
    return call;
  }
  auto call = std::make_unique<Call>(multi_, *this);
  Configure(*call);
  return call;
}

void Endpoint::Return(std::unique_ptr<Call> call) {
  call->Abort();
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(call));
}

void Endpoint::Configure(Call& call) {
  CURL* easy = call.easy();
  curl_easy_setopt(easy, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReadBuffer);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  if (loopback_) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
}

Transfer::Transfer(Endpoint& endpoint, std::string body, Reading reading, Deadline deadline) : call_(endpoint.Lend()) {
  call_->Start(std::move(body), reading == Reading::kWhole, deadline);
}

Transfer::~Transfer() {
  if (!call_->multi || !call_->endpoint) {  // these are gone, and the call with them
    call_->Abort();
    return;
  }
  Endpoint& endpoint = *call_->endpoint;
  if (drain_ && call_->running()) {
    call_.release()->Drain();  // it comes back by itself
  } else {
    endpoint.Return(std::move(call_));
  }
}

Awaitable<void> Transfer::Wait() {
  auto start = [call = call_.get()](Waiter waiter) { call->Await(std::move(waiter)); };
  auto token = kAwait;
  return asio::async_initiate<asio::use_awaitable_t<Executor>, void(boost::system::error_code)>(std::move(start),
                                                                                                token);
}

Result<void> Transfer::outcome() const {
  const Call& call = *call_;
  if (!call.endpoint) return Cancelled("the endpoint was closed");
  const EndpointOptions& options = call.endpoint->options();
  std::string where = Origin(options.url) + ": ";
  switch (call.end) {
    case End::kRunning: return Internal("outcome() of a request that has not ended");
    case End::kDeadline: return DeadlineExceeded(where + "the deadline passed before the answer was complete");
    case End::kFirstByte:
      return Unavailable(where + "no byte of an answer within " + Seconds(options.first_byte_timeout) +
                         " (first_byte_timeout)");
    case End::kIdle:
      return Unavailable(where + "the answer stopped for " + Seconds(options.idle_timeout) + " (idle_timeout)");
    case End::kTooLarge:
      return Unavailable(where + "the answer is longer than " + std::to_string(options.max_answer_bytes) + " bytes");
    case End::kCutOff: return Cancelled("the event loop is shutting down");
    case End::kCurl: break;
  }
  if (call.code == CURLE_OK) return {};
  if (call.code == CURLE_OPERATION_TIMEDOUT) {
    return Unavailable(where + "no connection within " + Seconds(options.connect_timeout) + " (connect_timeout)");
  }
  if (call.code == CURLE_OUT_OF_MEMORY || call.code == CURLE_FAILED_INIT) {
    return Internal(where + curl_easy_strerror(call.code));
  }
  Error error =
      Unavailable(where + Stage(call.code) + ": " + (call.text[0] ? call.text : curl_easy_strerror(call.code)));
  // A kept connection that was closed before it answered: the server has not begun, and a new connection may do. curl
  // tries that by itself a few times.
  long connects = 0, head = 0;
  curl_easy_getinfo(call.easy(), CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(call.easy(), CURLINFO_HEADER_SIZE, &head);
  bool broke = call.code == CURLE_GOT_NOTHING || call.code == CURLE_SEND_ERROR || call.code == CURLE_RECV_ERROR;
  if (broke && connects == 0 && head == 0 && call.received == 0) error.error_class = ErrorClass::kRetryHere;
  return error;
}

int Transfer::status() const {
  bool complete = call_->end == End::kCurl && call_->code == CURLE_OK;
  if (call_->received == 0 && !complete) return 0;  // the handle may still know the one of its last request
  long status = 0;
  curl_easy_getinfo(call_->easy(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::string_view Transfer::content_type() const {
  char* type = nullptr;
  curl_easy_getinfo(call_->easy(), CURLINFO_CONTENT_TYPE, &type);
  return type ? type : "";
}

std::chrono::seconds Transfer::retry_after() const {
  curl_off_t seconds = 0;
  curl_easy_getinfo(call_->easy(), CURLINFO_RETRY_AFTER, &seconds);
  return std::chrono::seconds(seconds);
}

}  // namespace pointsman::http
