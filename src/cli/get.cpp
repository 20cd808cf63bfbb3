// hawser get URL: one file over HTTP, by a stack on a device.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "cli/command.hpp"
#include "cli/download.hpp"
#include "cli/http_text.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_options.hpp"
#include "cli/numbers.hpp"
#include "cli/progress.hpp"
#include "cli/stop_signals.hpp"
#include "cli/url.hpp"
#include "host/wake_up.hpp"

namespace hawser::cli {

namespace {

struct GetOptions {
  std::string url;
  std::string output;
  bool resume = false;
  bool quiet = false;
  DownloadOptions download;
  LinkOptions link;
};

constexpr const char* kFooter = R"(Examples:
  A file from a web server on this machine:
    sudo hawser get http://10.9.0.1/file -o file --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24
  Going on where an earlier transfer ended:
    sudo hawser get http://10.9.0.1/file -o file --continue --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24
  To a pipe, over a bad line:
    sudo hawser get http://[fd00:9::1]/file --link tun:hw0 \
        --address fd00:9::2/64 --host-address fd00:9::1/64 \
        --loss 2% --delay 20ms | sha256sum
Exit code: 0 when the whole file is there, 1 when not, 2 when the arguments make
no sense, 128 and the signal's number when a signal came first.)";

/// Writes to a file, or to stdout when it has no name.
class FileSink : public DownloadSink {
 public:
  explicit FileSink(std::string name) : name_(std::move(name)) {}

  bool begin(std::uint64_t offset) override {
    if (is_stdout()) return true;
    file_ = host::Descriptor(::open(name_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (!file_) return fail("cannot open");
    // Devices and pipes cannot be cut, and need not be.
    struct stat status{};
    if (::fstat(file_.get(), &status) == 0 && !S_ISREG(status.st_mode)) return true;
    if (::ftruncate(file_.get(), static_cast<off_t>(offset)) != 0 ||
        ::lseek(file_.get(), 0, SEEK_END) < 0) {
      return fail("cannot change");
    }
    return true;
  }

  bool write(std::string_view bytes) override {
    const int fd = is_stdout() ? STDOUT_FILENO : file_.get();
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail("cannot write to");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  std::string problem() const override { return problem_; }
  bool is_stdout() const { return name_.empty(); }

  /// Marks the file with the time of the version it is of, which --continue asks for.
  void date(std::time_t modified) {
    if (!file_) return;
    const timespec times[2] = {{0, UTIME_OMIT}, {modified, 0}};
    ::futimens(file_.get(), times);
  }

 private:
  bool fail(std::string_view what) {
    problem_ =
        fmt::format("{} '{}': {}", what, is_stdout() ? "stdout" : name_, std::strerror(errno));
    return false;
  }

  std::string name_;
  host::Descriptor file_;
  std::string problem_;
};

/// Stops the host when a signal comes, so that the transfer ends as if it had failed: the peer is
/// told, and what is there keeps the date by which --continue knows its version.
class Interruption {
 public:
  Interruption(StopSignals& signals, Host& host)
      : signals_(signals), host_(host), thread_([this] { watch(); }) {}
  ~Interruption() {
    end_.signal();
    thread_.join();
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// The signal that came, or 0.
  int signal() const { return signal_; }

 private:
  void watch() {
    std::array<pollfd, 2> polled = {pollfd{signals_.descriptor(), POLLIN, 0},
                                    pollfd{end_.descriptor(), POLLIN, 0}};
    while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) continue;
    if (polled[0].revents == 0) return;
    signal_ = signals_.take();
    host_.stop();
  }

  StopSignals& signals_;
  Host& host_;
  std::atomic<int> signal_ = 0;
  host::WakeUp end_;
  std::thread thread_;
};

/// What a shell adds to the number of the signal that ended a program.
constexpr int kBySignal = 128;

[[noreturn]] void end_interrupted(int signal, bool can_go_on) {
  fmt::print(stderr, "hawser: interrupted{}\n", can_go_on ? "; --continue goes on from here" : "");
  throw CLI::RuntimeError(kBySignal + signal);
}

/// The file to write to; empty for stdout.
std::string output_of(const GetOptions& options, const Url& url) {
  if (options.output == "-") return {};
  if (!options.output.empty()) return options.output;
  if (!options.resume && ::isatty(STDOUT_FILENO) == 0) return {};
  std::string name = url.file_name();
  struct stat status{};
  if (!options.resume && ::stat(name.c_str(), &status) == 0) {
    refuse_usage(
        fmt::format("'{}' exists: name a file with -o, or go on with it by --continue", name));
  }
  return name;
}

std::optional<PartialFile> partial_of(const GetOptions& options, const std::string& output) {
  if (!options.resume) return std::nullopt;
  if (output.empty()) refuse_usage("--continue needs a file: name it with -o FILE");
  struct stat status{};
  if (::stat(output.c_str(), &status) != 0) return std::nullopt;  // nothing yet
  if (!S_ISREG(status.st_mode)) refuse_usage("--continue needs a regular file");
  return PartialFile{static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec};
}

void get(const GetOptions& options) {
  const std::expected<Url, std::string> url = Url::parse(options.url);
  if (!url) refuse_usage(url.error());
  const std::string output = output_of(options, *url);
  DownloadOptions download_options = options.download;
  download_options.partial = partial_of(options, output);

  // Before the host starts its thread, which must not take the signals.
  StopSignals signals;
  const RunningHost host = open_host(options.link, signals);
  FileSink sink(output);
  std::expected<DownloadResult, std::string> result;
  int signal = 0;
  bool can_go_on = false;
  {
    const Interruption interruption(signals, *host);
    Progress progress(options.quiet);
    Download download(host, download_options, sink, progress);
    result = download.run(*url);
    if (download.modified()) sink.date(*download.modified());
    signal = interruption.signal();
    can_go_on = !output.empty() && download.modified();
  }
  if (!result && signal != 0) end_interrupted(signal, can_go_on);
  signals.release();
  if (const auto failure = host->device_failure(); failure && !result) {
    give_up(fmt::format("{}: {}", failure->message, result.error()));
  }
  host->drain(std::chrono::seconds(1));
  if (!result) give_up(result.error());
  if (options.quiet) return;
  const std::string name = output.empty() ? "stdout" : output;
  fmt::print(stderr, "{}: {} bytes{}\n", name, result->size,
             result->was_complete               ? ", was complete already"
             : result->received != result->size ? fmt::format(", {} of them now", result->received)
                                                : "");
}

}  // namespace

void add_get(CLI::App& app) {
  const auto options = std::make_shared<GetOptions>();
  CLI::App* command = app.add_subcommand("get", "Get a file over HTTP, by a stack of its own");
  command->add_option("URL", options->url, "http://HOST[:PORT]/PATH")->required();
  command
      ->add_option("-o,--output", options->output,
                   "file to write; '-' is stdout. Without it: stdout when that is no terminal, "
                   "else a file named as in the URL")
      ->type_name("FILE");
  command->add_flag("-C,--continue", options->resume, "go on where an earlier transfer ended");
  add_parsed(*command, "--max-redirects", options->download.max_redirects, parse_count,
             "to follow [10]", "N");
  add_parsed(*command, "--connect-timeout", options->download.connect_timeout, parse_patience,
             "give up connecting after this [30s]", "TIME");
  add_parsed(*command, "--timeout", options->download.stall_timeout, parse_patience,
             "give up when nothing comes for this long [30s]", "TIME");
  command->add_flag("-q,--quiet", options->quiet, "neither progress nor summary");
  add_link_options(*command, options->link);
  command->footer(kFooter);
  command->callback([options] { get(*options); });
}

}  // namespace hawser::cli
