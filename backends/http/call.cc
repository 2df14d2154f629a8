#include "backends/http/call.h"

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "backends/http/multi.h"
#include "backends/http/transfer.h"

namespace pointsman::http {
namespace {

constexpr std::size_t kKeepCapacity = 16 * 1024;  // bytes of a buffer that are kept for the next request

void Empty(std::string& text) {
  if (text.capacity() > kKeepCapacity) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

Call::Call(Multi& m, Endpoint& e) : multi(&m), endpoint(&e), easy_(curl_easy_init()) {
  if (!easy_) throw std::bad_alloc();
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, text);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Call::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Multi::OnOpen);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, multi);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Multi::OnClose);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, multi);
}

Call::~Call() { curl_easy_cleanup(easy_); }

void Call::Start(std::string body, bool whole, Deadline deadline) {
  body_ = std::move(body);
  whole_ = whole;
  deadline_ = deadline;
  received = 0;
  held_ = draining_ = too_large_ = first_byte_extended_ = http2_ = false;
  socket = CURL_SOCKET_BAD;
  text[0] = '\0';
  Empty(buffer_);
  started_ = progress_ = Clock::now();
  multi->lent_.push_back(*this);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body_.data());
  if (deadline_ <= started_) {
    end = End::kDeadline;
  } else if (multi->Add(*this) != CURLM_OK) {
    end = End::kCurl;
    code = CURLE_OUT_OF_MEMORY;  // the only reason for which a fresh handle is refused
  } else {
    end = End::kRunning;
    multi->Limit(Limit());
  }
}

void Call::Abort() {
  if (multi && running()) multi->Cut(*this);
  ReadyHook::unlink();
  LentHook::unlink();
  waiter_.reset();
  end = End::kCutOff;
}

void Call::Drain() {
  draining_ = true;
  waiter_.reset();
  Empty(buffer_);
  received = 0;
  deadline_ = std::min(deadline_, Clock::now() + kDrainTime);
  multi->Limit(deadline_);
  if (held_) Continue();
}

void Call::Await(Waiter waiter) {
  auto slot = asio::get_associated_cancellation_slot(waiter);
  if (slot.is_connected()) {
    slot.assign([this](asio::cancellation_type type) {
      if ((type & asio::cancellation_type::terminal) != asio::cancellation_type::none) CancelWait();
    });
  }
  waiter_.emplace(std::move(waiter));
  progress_ = Clock::now();
  if (!multi) return;
  if (ready()) {
    multi->ReadySoon(*this);
  } else {
    multi->Limit(Limit());
  }
}

// Whoever cancels is in the middle of something, so the coroutine unwinds in a turn of its own.
void Call::CancelWait() {
  std::optional<Waiter> waiter = Release();
  if (!waiter || !multi) return;
  auto abort = [w = std::move(*waiter)]() mutable {
    asio::get_associated_cancellation_slot(w).clear();
    std::move(w)(make_error_code(asio::error::operation_aborted));
  };
  asio::post(multi->loop_, std::move(abort));
}

std::optional<Waiter> Call::Release() {
  ReadyHook::unlink();
  std::optional<Waiter> waiter = std::move(waiter_);
  waiter_.reset();
  return waiter;
}

void Call::Resume() {
  std::optional<Waiter> waiter = Release();
  if (!waiter) return;
  asio::get_associated_cancellation_slot(*waiter).clear();
  std::move (*waiter)(boost::system::error_code());  // may destroy this call
}

void Call::Take(std::string& out) {
  Empty(out);
  out.swap(buffer_);
  if (held_ && running()) Continue();
}

// curl hands over what it held at once, from inside the call; an error that comes of it does not come again.
void Call::Continue() {
  held_ = false;
  CURLcode outcome = curl_easy_pause(easy_, CURLPAUSE_CONT);
  if (outcome != CURLE_OK) OnEnd(outcome);
}

std::size_t Call::OnBody(char* data, std::size_t, std::size_t size, void* self) {
  return static_cast<Call*>(self)->Receive(data, size);
}

std::size_t Call::Receive(const char* data, std::size_t size) {
  if (received == 0 && !draining_) {
    long version = 0;
    curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
    http2_ = version == CURL_HTTP_VERSION_2_0;
  }
  if (http2_ && socket != CURL_SOCKET_BAD) multi->GotHttp2(socket);
  if (draining_) {
    received += size;
    return received > kDrainBytes ? 0 : size;
  }
  if (size > endpoint->options().max_answer_bytes - received) {
    too_large_ = true;
    return 0;  // taking fewer bytes than were offered ends the request with an error
  }
  if (!whole_ && !buffer_.empty() && buffer_.size() + size > kHoldAbove) {
    held_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  buffer_.append(data, size);
  received += size;
  if (whole_) {  // its waiter sleeps on, now bound by the idle time
    progress_ = Clock::now();
    multi->Limit(Limit());
  } else if (waiter_ && !ReadyHook::is_linked()) {
    multi->Ready(*this);
  }
  return size;
}

Clock::time_point Call::Limit() const {
  if (!waiter_ && received > 0) return deadline_;  // nobody waits: the sender is not to blame for the silence
  if (draining_) return deadline_;
  const EndpointOptions& options = endpoint->options();
  Clock::time_point limit = received > 0 ? progress_ + options.idle_timeout : started_ + options.first_byte_timeout;
  return std::min(limit, deadline_);
}

bool Call::OnLimit(Clock::time_point now) {
  bool late = now >= deadline_;
  if (!late && received == 0 && !first_byte_extended_) {
    // The first byte is awaited from the moment of the connection on, which has a time-out of its own.
    first_byte_extended_ = true;
    curl_off_t connected = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected);
    started_ += connected > 0 ? std::chrono::microseconds(connected)
                              : std::chrono::microseconds(endpoint->options().connect_timeout);
    if (Limit() > now) return false;
  }
  multi->Cut(*this);
  end = late ? End::kDeadline : received > 0 ? End::kIdle : End::kFirstByte;
  Announce();
  return true;
}

void Call::OnEnd(CURLcode outcome) {
  multi->Remove(*this);
  code = outcome;
  end = too_large_ ? End::kTooLarge : End::kCurl;
  Announce();
}

void Call::Announce() {
  if (draining_) {
    endpoint->Return(std::unique_ptr<Call>(this));
  } else if (waiter_ && !ReadyHook::is_linked()) {
    multi->Ready(*this);
  }
}

}  // namespace pointsman::http
