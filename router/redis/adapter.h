// router/redis/adapter.h: hiredis' asynchronous context on an event loop. hiredis 0.14 has adapters for other loops
// only.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <memory>

#include "base/async.h"

struct redisAsyncContext;

namespace pointsman::redis {

// Watches the context's socket for as long as the context lives: hiredis says when it goes. Loop thread only.
class Adapter : public std::enable_shared_from_this<Adapter> {
 public:
  // `context` has a socket and no adapter yet.
  static std::shared_ptr<Adapter> Attach(Executor executor, redisAsyncContext* context);

  Adapter(Executor executor, redisAsyncContext* context);

 private:
  void Write();
  void Watch(bool& wanted, bool& waiting, bool read);
  void Handle(bool wanted, bool read);
  void Gone();

  redisAsyncContext* context_;  // null once hiredis has freed it
  asio::posix::basic_stream_descriptor<Executor> socket_;
  bool read_wanted_ = false, read_waiting_ = false, write_wanted_ = false, write_waiting_ = false;
};

}  // namespace pointsman::redis
