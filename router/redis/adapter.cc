#include "router/redis/adapter.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <boost/system/error_code.hpp>

namespace pointsman::redis {

Adapter::Adapter(Executor executor, redisAsyncContext* context) : context_(context), socket_(executor, context->c.fd) {}

std::shared_ptr<Adapter> Adapter::Attach(Executor executor, redisAsyncContext* context) {
  auto adapter = std::make_shared<Adapter>(executor, context);
  context->ev.data = adapter.get();
  context->ev.addRead = [](void* data) {
    Adapter& a = *static_cast<Adapter*>(data);
    a.read_wanted_ = true;
    a.Watch(a.read_wanted_, a.read_waiting_, true);
  };
  context->ev.delRead = [](void* data) { static_cast<Adapter*>(data)->read_wanted_ = false; };
  context->ev.addWrite = [](void* data) {
    Adapter& a = *static_cast<Adapter*>(data);
    a.write_wanted_ = true;
    a.Watch(a.write_wanted_, a.write_waiting_, false);
  };
  context->ev.delWrite = [](void* data) { static_cast<Adapter*>(data)->write_wanted_ = false; };
  context->ev.cleanup = [](void* data) { static_cast<Adapter*>(data)->Gone(); };
  return adapter;
}

// Waits once; hiredis handles what there is, and may free the context while it does.
void Adapter::Watch(bool& wanted, bool& waiting, bool read) {
  if (waiting || context_ == nullptr) return;
  waiting = true;
  using Socket = asio::posix::descriptor_base;
  socket_.async_wait(read ? Socket::wait_read : Socket::wait_write,
                     [self = shared_from_this(), &wanted, &waiting, read](const boost::system::error_code& error) {
                       waiting = false;
                       if (error || self->context_ == nullptr) return;
                       if (wanted) (read ? redisAsyncHandleRead : redisAsyncHandleWrite)(self->context_);
                       if (wanted) self->Watch(wanted, waiting, read);
                     });
}

// The context is being freed: hiredis closes the socket itself.
void Adapter::Gone() {
  context_ = nullptr;
  socket_.release();
}

}  // namespace pointsman::redis
