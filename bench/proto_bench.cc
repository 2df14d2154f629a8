// bench/proto_bench.cc: what the wire format alone costs a request: the reference for everything that is done with it.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/requests.h"
#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::bench {
namespace {

void ParseRequest(benchmark::State& state) {
  std::string bytes = TypicalRequest().SerializeAsString();
  for (auto _ : state) {
    v1::CompleteRequest request;
    benchmark::DoNotOptimize(request.ParseFromString(bytes));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) * state.iterations());
}
BENCHMARK(ParseRequest);

void SerialiseResponse(benchmark::State& state) {
  v1::CompleteResponse response = TypicalResponse();
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    benchmark::DoNotOptimize(response.AppendToString(&bytes));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size()) * state.iterations());
}
BENCHMARK(SerialiseResponse);

void SerialiseDelta(benchmark::State& state) {
  std::string bytes;
  v1::CompleteEvent event;
  event.mutable_delta()->set_text(" points");
  for (auto _ : state) {
    bytes.clear();
    benchmark::DoNotOptimize(event.AppendToString(&bytes));
  }
}
BENCHMARK(SerialiseDelta);

}  // namespace
}  // namespace pointsman::bench
