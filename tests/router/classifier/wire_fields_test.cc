#include "router/classifier/wire_fields.h"

#include <gtest/gtest.h>

#include "pointsman/v1/artifact.pb.h"

namespace pointsman::classifier {
namespace {

v1::Neighbours Message() {
  v1::Neighbours message;
  message.set_dimensions(300);
  message.set_vectors(std::string(1000, '\x80'));
  message.add_scales(0.5F);
  message.set_labels("ab");
  return message;
}

TEST(WireFields, AreThoseOfTheMessageInItsOrder) {
  const std::string message = Message().SerializeAsString();
  const auto fields = WireFields(message);
  ASSERT_TRUE(fields);
  std::vector<std::uint32_t> numbers;
  std::string together;
  for (const WireField& field : *fields) {
    numbers.push_back(field.number);
    together += field.whole;
    EXPECT_EQ(field.delimited, field.number != 1);
  }
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{1, 2, 3, 4}));
  EXPECT_EQ(together, message);
  EXPECT_EQ((*fields)[1].value, Message().vectors());
  EXPECT_GE((*fields)[1].value.data(), message.data());  // where it lies
  EXPECT_LE((*fields)[1].value.data(), message.data() + message.size());
  EXPECT_TRUE(WireFields("")->empty());
}

TEST(WireFields, OfNumbersOfEachSize) {
  v1::Report report;  // doubles
  report.set_accuracy(0.5);
  v1::LinearClassifier model;  // floats
  model.set_idf_scale(2);
  v1::Artifact artifact;  // a number of ten bytes
  artifact.set_seed(~0ULL);
  for (const google::protobuf::Message* message :
       {static_cast<google::protobuf::Message*>(&report), static_cast<google::protobuf::Message*>(&model),
        static_cast<google::protobuf::Message*>(&artifact)}) {
    const std::string bytes = message->SerializeAsString();
    const auto fields = WireFields(bytes);
    ASSERT_TRUE(fields);
    ASSERT_EQ(fields->size(), 1U);
    EXPECT_EQ((*fields)[0].whole, bytes);
    EXPECT_FALSE((*fields)[0].delimited);
  }
}

TEST(WireFields, NoneOfAMessageThatIsCutInsideAField) {
  const std::string message = Message().SerializeAsString();
  std::size_t refused = 0;
  for (std::size_t size = 0; size < message.size(); ++size) refused += !WireFields(message.substr(0, size));
  EXPECT_EQ(refused, message.size() - 4);  // but for nothing at all, and the ends of three fields
}

TEST(WireFields, NoneOfWhatIsNoMessage) {
  EXPECT_FALSE(WireFields("\x0B"));                                          // begins a group
  EXPECT_FALSE(WireFields(std::string("\0\1", 2)));                          // field 0
  EXPECT_FALSE(WireFields("\x0A\xFF\xFF\xFF\xFF\x0F"));                      // a length of 4 GiB
  EXPECT_FALSE(WireFields("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));  // a number without an end
}

TEST(WireFields, AnAppendedFieldIsRead) {
  std::string message = Message().SerializeAsString();
  AppendField(4, std::string(200, 'z'), message);
  v1::Neighbours read;
  ASSERT_TRUE(read.ParseFromString(message));
  EXPECT_EQ(read.labels(), std::string(200, 'z'));
  EXPECT_EQ(read.dimensions(), 300U);
}

}  // namespace
}  // namespace pointsman::classifier
