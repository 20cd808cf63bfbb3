#include "hawser/pcapng.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/link/support.hpp"
#include "wire/ip.hpp"
#include "wire/tcp.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using link::testing::Bytes;
using link::testing::contents;
using link::testing::FakeDevice;
using link::testing::packet_of;
using link::testing::pattern;

/// A path in a folder of the test's own, which is removed with it.
class PcapngTest : public testing::Test {
 protected:
  PcapngTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hawser-pcapng-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~PcapngTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "capture.pcapng").string(); }
  std::unique_ptr<PcapngWriter> create() { return PcapngWriter::create(path()).value(); }

  BufferPool pool_;

 private:
  std::filesystem::path folder_;
};

// ---- a small reader, by draft-ietf-opsawg-pcapng

struct Option {
  std::uint16_t code;
  Bytes value;
};

struct Block {
  std::uint32_t type;
  Bytes body;  ///< between the two lengths
};

struct Frame {
  std::uint32_t interface;
  std::uint64_t stamp;
  std::uint32_t flags;
  Bytes bytes;
};

template <typename Number>
Number number_at(const Bytes& bytes, std::size_t offset) {
  Number value;
  EXPECT_LE(offset + sizeof value, bytes.size());
  std::memcpy(&value, &bytes[offset], sizeof value);
  return value;
}

Bytes part(const Bytes& bytes, std::size_t offset, std::size_t size) {
  EXPECT_LE(offset + size, bytes.size());
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

std::vector<Block> read_blocks(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  Bytes bytes(all.size());
  std::memcpy(bytes.data(), all.data(), all.size());
  std::vector<Block> blocks;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = number_at<std::uint32_t>(bytes, at + 4);
    EXPECT_GE(length, 12U);
    EXPECT_EQ(length % 4, 0U);
    if (length < 12 || at + length > bytes.size()) {
      ADD_FAILURE() << "the block at " << at << " does not fit";
      break;
    }
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + length - 4), length);
    blocks.push_back({number_at<std::uint32_t>(bytes, at), part(bytes, at + 8, length - 12)});
    at += length;
  }
  return blocks;
}

std::vector<Option> read_options(const Bytes& body, std::size_t at) {
  std::vector<Option> options;
  while (at < body.size()) {
    const auto code = number_at<std::uint16_t>(body, at);
    const auto length = number_at<std::uint16_t>(body, at + 2);
    if (code == 0) {
      EXPECT_EQ(length, 0);
      EXPECT_EQ(at + 4, body.size()) << "nothing follows the end of options";
      return options;
    }
    options.push_back({code, part(body, at + 4, length)});
    at += 4 + padded(length);
  }
  ADD_FAILURE() << "options without an end";
  return options;
}

Frame read_frame(const Block& block) {
  EXPECT_EQ(block.type, 6U);
  const auto size = number_at<std::uint32_t>(block.body, 12);
  EXPECT_EQ(number_at<std::uint32_t>(block.body, 16), size);
  const auto options = read_options(block.body, 20 + padded(size));
  EXPECT_EQ(options.size(), 1U);
  EXPECT_EQ(options.at(0).code, 2);
  return {number_at<std::uint32_t>(block.body, 0),
          std::uint64_t{number_at<std::uint32_t>(block.body, 4)} << 32 |
              number_at<std::uint32_t>(block.body, 8),
          number_at<std::uint32_t>(options.at(0).value, 0), part(block.body, 20, size)};
}

std::vector<Frame> read_frames(const std::string& path) {
  std::vector<Frame> frames;
  for (const Block& block : read_blocks(path)) {
    if (block.type == 6) frames.push_back(read_frame(block));
  }
  return frames;
}

// ---- the writer

TEST_F(PcapngTest, BeginsWithASectionAndItsInterfaces) {
  auto writer = create();
  EXPECT_EQ(writer->add_interface("hw0"), 0U);
  EXPECT_EQ(writer->add_interface("a name of 17 byt"), 1U);
  writer.reset();
  const auto blocks = read_blocks(path());
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].type, 0x0a0d0d0aU);
  EXPECT_EQ(number_at<std::uint32_t>(blocks[0].body, 0), 0x1a2b3c4dU);
  EXPECT_EQ(number_at<std::uint32_t>(blocks[0].body, 4), 1U) << "version 1.0";
  EXPECT_EQ(number_at<std::uint64_t>(blocks[0].body, 8), ~std::uint64_t{0});
  read_options(blocks[0].body, 16);
  for (const auto& [block, name] :
       {std::pair{blocks[1], "hw0"}, std::pair{blocks[2], "a name of 17 byt"}}) {
    EXPECT_EQ(block.type, 1U);
    EXPECT_EQ(number_at<std::uint16_t>(block.body, 0), 101U) << "LINKTYPE_RAW";
    const auto options = read_options(block.body, 8);
    ASSERT_EQ(options.size(), 2U);
    EXPECT_EQ(options[0].code, 2);
    EXPECT_EQ(options[0].value.size(), std::strlen(name));
    EXPECT_EQ(std::memcmp(options[0].value.data(), name, std::strlen(name)), 0);
    EXPECT_EQ(options[1].code, 9);
    EXPECT_EQ(options[1].value, Bytes{std::byte{9}}) << "nanoseconds";
  }
}

TEST_F(PcapngTest, KeepsEachByteStampAndDirection) {
  auto writer = create();
  writer->add_interface("a");
  writer->add_interface("b");
  const Duration stamp = std::chrono::hours(24 * 365 * 55) + 123456789ns;
  for (std::uint32_t size = 1; size < 60; ++size) {
    writer->write_frame(size % 2, stamp + Duration(size),
                        size % 3 == 0 ? CaptureDirection::inbound : CaptureDirection::outbound,
                        packet_of(pool_, pattern(size, size)));
  }
  writer->write_frame(0, stamp, CaptureDirection::inbound, packet_of(pool_, pattern(65535)));
  writer.reset();
  const auto frames = read_frames(path());
  ASSERT_EQ(frames.size(), 60U);
  for (std::uint32_t size = 1; size < 60; ++size) {
    const Frame& frame = frames[size - 1];
    EXPECT_EQ(frame.interface, size % 2);
    EXPECT_EQ(frame.stamp, static_cast<std::uint64_t>(stamp.count()) + size);
    EXPECT_EQ(frame.flags, size % 3 == 0 ? 1U : 2U);
    EXPECT_EQ(frame.bytes, pattern(size, size));
  }
  EXPECT_EQ(frames.back().bytes, pattern(65535));
}

TEST_F(PcapngTest, WritesInLargePiecesAndTheRestAtTheEnd) {
  auto writer = create();
  writer->add_interface("a");
  const Packet frame = packet_of(pool_, pattern(1000));
  writer->write_frame(0, 1s, CaptureDirection::inbound, frame);
  EXPECT_EQ(std::filesystem::file_size(path()), 0U);
  for (int i = 0; i < 100; ++i) writer->write_frame(0, 1s, CaptureDirection::inbound, frame);
  EXPECT_GT(std::filesystem::file_size(path()), 0U);
  EXPECT_TRUE(writer->flush());
  EXPECT_EQ(read_frames(path()).size(), 101U);
  writer->write_frame(0, 1s, CaptureDirection::inbound, frame);
  writer.reset();
  EXPECT_EQ(read_frames(path()).size(), 102U);
}

TEST_F(PcapngTest, SaysWhyAFileCannotBeCreated) {
  const auto writer = PcapngWriter::create("/no/such/folder/a.pcapng");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, std::errc::no_such_file_or_directory);
  EXPECT_NE(writer.error().message.find("/no/such/folder/a.pcapng"), std::string::npos);
}

TEST_F(PcapngTest, SaysWhyWritingFailed) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  auto writer = PcapngWriter::create("/dev/full").value();
  writer->add_interface("a");
  EXPECT_FALSE(writer->error());
  EXPECT_FALSE(writer->flush());
  ASSERT_TRUE(writer->error());
  EXPECT_EQ(writer->error()->code, std::errc::no_space_on_device);
  writer->write_frame(0, 1s, CaptureDirection::inbound, packet_of(pool_, pattern(10)));
  EXPECT_FALSE(writer->flush()) << "the first failure stays";
}

// ---- the device

TEST_F(PcapngTest, RecordsWhatADeviceGivesAndTakes) {
  auto owned = std::make_unique<FakeDevice>();
  FakeDevice& below = *owned;
  const Duration epoch = std::chrono::seconds(1'700'000'000);
  auto device = std::make_unique<CaptureDevice>(std::move(owned), create(), "hw0", epoch);
  EXPECT_EQ(device->mtu(), 1400U);
  EXPECT_EQ(device->descriptor(), 77);
  below.arriving = {pattern(30, 1), pattern(31, 2)};
  std::vector<Packet> frames;
  EXPECT_EQ(device->read(Instant(1us), pool_, frames, 10), 2U);
  EXPECT_EQ(contents(frames[1]), pattern(31, 2));
  below.room = 1;
  EXPECT_EQ(device->write(Instant(2us), frames), 1U) << "what is not taken is not recorded";
  EXPECT_TRUE(device->wants_writable());
  below.room = 10;
  EXPECT_EQ(device->write(Instant(3us), std::span(frames).subspan(1)), 1U);
  device.reset();
  const auto recorded = read_frames(path());
  ASSERT_EQ(recorded.size(), 4U);
  const std::array<std::uint64_t, 4> micros = {1, 1, 2, 3};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(recorded[i].stamp, 1'700'000'000'000'000'000 + micros[i] * 1000);
    EXPECT_EQ(recorded[i].flags, i < 2 ? 1U : 2U);
    EXPECT_EQ(recorded[i].bytes, i % 2 == 0 ? pattern(30, 1) : pattern(31, 2));
  }
}

TEST_F(PcapngTest, TellsFramesOfAnEthernetFromBarePackets) {
  for (const auto& [mac, link_type] :
       {std::pair{std::optional(MacAddress({2, 0, 0, 0, 0, 1})), 1}, {std::nullopt, 101}}) {
    auto owned = std::make_unique<FakeDevice>();
    owned->address = mac;
    CaptureDevice(std::move(owned), create(), "hw0", 0s);
    const auto blocks = read_blocks(path());
    ASSERT_EQ(blocks.size(), 2U);
    EXPECT_EQ(number_at<std::uint16_t>(blocks[1].body, 0), link_type);
  }
}

TEST_F(PcapngTest, FlushesADeviceNowAndThen) {
  auto owned = std::make_unique<FakeDevice>();
  FakeDevice& below = *owned;
  CaptureDevice device(std::move(owned), create(), "hw0", 0s);
  std::vector<Packet> frames;
  device.read(Instant(10s), pool_, frames, 10);
  below.arriving = {pattern(30)};
  device.read(Instant(10s + 999ms), pool_, frames, 10);
  EXPECT_TRUE(read_frames(path()).empty());
  device.read(Instant(11s), pool_, frames, 10);
  EXPECT_EQ(read_frames(path()).size(), 1U);
}

// ---- an independent reader

/// What a command prints, or nothing when it is not installed.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> chunk{};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    output.append(chunk.data(), size);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return output;
}

Packet tcp_packet(BufferPool& pool, const IpAddress& source, const IpAddress& destination,
                  TcpFlags flags, std::size_t payload) {
  Packet packet = packet_of(pool, pattern(payload));
  TcpHeader tcp;
  tcp.source = Port{40000};
  tcp.destination = Port{8080};
  tcp.flags = flags;
  tcp.window = 1000;
  tcp.options.mss = 1460;
  tcp.options.window_scale = 7;
  tcp.options.sack_permitted = true;
  tcp.options.timestamps = TcpTimestamps{1, 2};
  wire::push_tcp(packet, tcp, source, destination);
  wire::IpHeader ip;
  ip.source = source;
  ip.destination = destination;
  ip.protocol = 6;
  wire::push_ip(packet, ip);
  return packet;
}

TEST_F(PcapngTest, IsReadByTsharkWithoutComplaint) {
  if (std::system("command -v tshark >/dev/null 2>&1") != 0) {  // NOLINT: a fixed command
    GTEST_SKIP() << "needs tshark (apt-get install tshark)";
  }
  auto writer = create();
  writer->add_interface("hw0");
  const auto v4 = IpAddress::v4(10, 9, 0, 1);
  const auto v6 = *IpAddress::parse("fd00:9::1");
  const Duration stamp = std::chrono::seconds(1'700'000'000) + 123456789ns;
  for (const IpAddress& address : {v4, v6}) {
    writer->write_frame(0, stamp, CaptureDirection::outbound,
                        tcp_packet(pool_, address, address, TcpFlag::syn, 0));
    writer->write_frame(0, stamp + 1ns, CaptureDirection::inbound,
                        tcp_packet(pool_, address, address, TcpFlag::ack, 101));
  }
  writer.reset();
  const std::string fields = output_of(
      "tshark -n -r " + path() +
      " -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -T fields -e frame.time_epoch"
      " -e frame.packet_flags_direction -e tcp.len -e tcp.checksum.status -e _ws.malformed"
      " -e frame.interface_name -E separator=, 2>/dev/null");
  EXPECT_EQ(fields,
            "1700000000.123456789,0x00000002,0,1,,hw0\n"
            "1700000000.123456790,0x00000001,101,1,,hw0\n"
            "1700000000.123456789,0x00000002,0,1,,hw0\n"
            "1700000000.123456790,0x00000001,101,1,,hw0\n");
}

}  // namespace
}  // namespace hawser
