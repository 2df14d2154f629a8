#include "tests/support/health.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>

namespace pointsman::testing_support {
namespace {

using google::protobuf::UnknownFieldSet;

// Messages of protocols whose .proto files are not installed, read and written by field number.
grpc::ByteBuffer ToBuffer(const UnknownFieldSet& fields) {
  std::string bytes;
  fields.SerializeToString(&bytes);
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// Waits for the one tag that is under way.
bool Next(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
}

}  // namespace

int Health(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  SetDeadline(context);
  UnknownFieldSet request;
  request.AddLengthDelimited(1, service);
  auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", ToBuffer(request), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  Next(queue);
  if (!status.ok()) return -1;
  UnknownFieldSet fields;
  fields.ParseFromString(ToBytes(response));
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() == 1) return static_cast<int>(fields.field(i).varint());
  }
  return 0;
}

std::vector<std::string> ReflectedServices(const std::shared_ptr<grpc::Channel>& channel) {
  constexpr int kListServices = 7, kListServicesResponse = 6, kService = 1, kName = 1;
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  SetDeadline(context);
  auto call = stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  call->StartCall(nullptr);
  if (!Next(queue)) return {};
  UnknownFieldSet request;
  request.AddLengthDelimited(kListServices, "*");
  call->Write(ToBuffer(request), nullptr);
  if (!Next(queue)) return {};
  grpc::ByteBuffer response;
  call->Read(&response, nullptr);
  std::vector<std::string> names;
  if (Next(queue)) {
    UnknownFieldSet fields;
    fields.ParseFromString(ToBytes(response));
    for (int i = 0; i < fields.field_count(); ++i) {
      if (fields.field(i).number() != kListServicesResponse) continue;
      UnknownFieldSet list;
      list.ParseFromString(fields.field(i).length_delimited());
      for (int s = 0; s < list.field_count(); ++s) {
        if (list.field(s).number() != kService) continue;
        UnknownFieldSet service;
        service.ParseFromString(list.field(s).length_delimited());
        for (int n = 0; n < service.field_count(); ++n) {
          if (service.field(n).number() == kName) names.push_back(service.field(n).length_delimited());
        }
      }
    }
  }
  call->WritesDone(nullptr);
  Next(queue);
  grpc::Status status;
  call->Finish(&status, nullptr);
  Next(queue);
  return names;
}

}  // namespace pointsman::testing_support
