#include "router/runtime/live_call.h"

namespace pointsman::runtime {

void LiveCalls::Add(LiveCall& call) {
  calls_.push_back(call);
  if (!armed_) Arm();
}

void LiveCalls::EndAll(Ending why) {
  for (auto it = calls_.begin(); it != calls_.end();) {
    LiveCall& call = *it++;  // ending may unlink it
    call.End(why);
  }
}

void LiveCalls::Arm() {
  armed_ = true;
  timer_.expires_after(kSweep);
  timer_.async_wait([this](boost::system::error_code error) {
    armed_ = false;
    if (error) return;
    Clock::time_point now = Clock::now();
    for (auto it = calls_.begin(); it != calls_.end();) {
      LiveCall& call = *it++;
      if (now >= call.deadline()) call.End(Ending::kDeadline);
    }
    if (!calls_.empty()) Arm();
  });
}

}  // namespace pointsman::runtime
