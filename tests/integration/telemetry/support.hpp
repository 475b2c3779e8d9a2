// Real processes for the tests: a broker, a subscriber, certificates; each ends with its owner.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "telemetry/link/mqtt_link.hpp"
#include "telemetry/publisher.hpp"

namespace glimpse::test {

using namespace std::chrono_literals;

/// Looks every 10 ms whether `condition` holds. False when it did not within `limit`.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = 15s);

[[nodiscard]] int free_port();
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A child process whose output goes to `output`; SIGKILLed at the end.
class Process {
 public:
  Process(std::vector<std::string> command, const std::string& output);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { kill(); }
  void kill();

 private:
  pid_t pid_ = -1;
};

/// Runs a command to its end and returns its exit code.
int run(std::vector<std::string> command, const std::string& output);

/// scripts/broker.sh in a folder and on a port of its own.
class Broker {
 public:
  explicit Broker(const std::string& device = "test-device");
  ~Broker();
  void start();
  void kill_hard();  // SIGKILL
  [[nodiscard]] BrokerSettings settings() const;
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] int port() const { return port_; }

 private:
  TempFolder folder_;
  std::string device_;
  int port_;
};

/// mosquitto_sub on glimpse/# with the subscriber's certificate. QoS 0: the broker hands a message over
/// before it acknowledges it to the publisher, so that nothing acknowledged is missing even when the broker
/// is killed.
class Subscriber {
 public:
  explicit Subscriber(const Broker& broker);  // returns when it has subscribed
  struct Message {
    std::string topic, payload;
  };
  [[nodiscard]] std::vector<Message> messages() const;
  [[nodiscard]] std::vector<std::uint64_t> seqs() const;  // of telemetry, as they came
  [[nodiscard]] std::string last_status() const;          // "online", "offline", or ""

 private:
  TempFolder folder_;
  Process process_;
};

/// mosquitto with chosen certificates from make_certs.sh; any client certificate of `ca` gets in unless
/// `access` says otherwise.
class TlsServer {
 public:
  TlsServer(const TempFolder& certificates, const std::string& server,
            const std::string& access = "allow_anonymous true\n", const std::string& newest_tls = "TLSv1.3");
  [[nodiscard]] BrokerSettings settings(const std::string& device_certificate = "device") const;
  [[nodiscard]] std::string log() const { return read_text(folder_.file("log")); }

 private:
  TempFolder folder_;
  const TempFolder& certificates_;
  int port_;
  std::unique_ptr<Process> process_;
};

/// One attempt of a link of its own, which hangs up at once.
[[nodiscard]] std::optional<LinkFault> try_once(const BrokerSettings& settings,
                                                const LinkLimits& limits = {});

void make_certificates(const TempFolder& folder);
/// `access` of a server that wants a user name, too, and knows none.
[[nodiscard]] std::string login_wanted(const TempFolder& folder);
[[nodiscard]] Record make_record(std::uint64_t seq);

/// What a device has: an outbox in a folder of its own, and a publisher that sends from it.
class Device {
 public:
  explicit Device(const BrokerSettings& settings);
  Device(const BrokerSettings& settings, PublisherSeams seams);
  /// Records first to last are accepted and committed.
  void accept(std::uint64_t first, std::uint64_t last);
  [[nodiscard]] PublisherStatus status() const { return publisher.status(); }

 private:
  TempFolder folder_;

 public:
  Outbox outbox;
  Publisher publisher;
};

/// Back-off that the test holds: the publisher stays between two attempts until release().
class Gate {
 public:
  void release();
  void close();
  [[nodiscard]] PublisherSeams seams(const BrokerSettings& settings);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace glimpse::test
