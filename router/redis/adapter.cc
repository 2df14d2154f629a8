#include "router/redis/adapter.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <boost/asio/post.hpp>
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
    a.Write();
  };
  context->ev.delWrite = [](void* data) { static_cast<Adapter*>(data)->write_wanted_ = false; };
  context->ev.cleanup = [](void* data) { static_cast<Adapter*>(data)->Gone(); };
  return adapter;
}

// A socket can nearly always be written to: it is tried first, soon, with all commands that come until then, and what
// does not fit waits. Not while it connects: then the wait says when it has.
void Adapter::Write() {
  if (write_waiting_ || context_ == nullptr) return;
  if ((context_->c.flags & REDIS_CONNECTED) == 0) return Watch(write_wanted_, write_waiting_, false);
  write_waiting_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->context_ != nullptr && self->write_wanted_) redisAsyncHandleWrite(self->context_);
    self->write_waiting_ = false;
    if (self->write_wanted_) self->Watch(self->write_wanted_, self->write_waiting_, false);
  });
}

// Waits once; hiredis handles what there is, and may free the context while it does.
void Adapter::Watch(bool& wanted, bool& waiting, bool read) {
  if (waiting || context_ == nullptr) return;
  waiting = true;
  using Socket = asio::posix::descriptor_base;
  socket_.async_wait(read ? Socket::wait_read : Socket::wait_write,
                     [self = shared_from_this(), &wanted, &waiting, read](const boost::system::error_code& error) {
                       if (!error && self->context_ != nullptr) self->Handle(wanted, read);
                       waiting = false;
                       if (!error && wanted) self->Watch(wanted, waiting, read);
                     });
}

void Adapter::Handle(bool wanted, bool read) {
  // What was ever waited for wakes the loop from then on: a new registration forgets the wait for the connection, which
  // nothing else shared.
  if ((context_->c.flags & REDIS_CONNECTED) == 0 && !read_waiting_) socket_.assign(socket_.release());
  if (wanted) (read ? redisAsyncHandleRead : redisAsyncHandleWrite)(context_);
}

// The context is being freed: hiredis closes the socket itself.
void Adapter::Gone() {
  context_ = nullptr;
  socket_.release();
}

}  // namespace pointsman::redis
