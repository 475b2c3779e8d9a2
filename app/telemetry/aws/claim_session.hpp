// A session as the claim: one question at a time on AWS's reserved topics, and its answer.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "telemetry/link/mqtt_link.hpp"

namespace glimpse {

/// "not let in: ...", for a command that makes one attempt: nothing is tried again by itself. Exit code 77
/// where keys, names or policies are at fault, else 69.
[[nodiscard]] Error error_of(const LinkFault& fault, const std::string& what);

class ClaimSession {
 public:
  /// Connects, and listens to the answers for each of `topics`. `limit` is for each step. Throws
  /// Error(credentials) where the broker does not take the claim or its policy forbids to listen,
  /// Error(unavailable) where there is no way to it, Error(interrupted) at a stop.
  ClaimSession(std::unique_ptr<Link> link, std::string server, Steady::duration limit, std::stop_token stop,
               const std::vector<std::string>& topics);
  ~ClaimSession();
  ClaimSession(const ClaimSession&) = delete;
  ClaimSession& operator=(const ClaimSession&) = delete;

  struct Answer {
    bool accepted = false;
    std::string payload;
  };
  /// `what` is for messages: "a certificate". Throws as the constructor does; AWS ends the session where the
  /// claim's policy forbids the question.
  [[nodiscard]] Answer ask(const std::string& topic, const std::string& payload, const std::string& what);

 private:
  void listen(const std::string& filter);
  void take(Message message);
  /// Until `done` or the limit; throws where the session or we ourselves come to an end.
  template <typename Done>
  bool wait(std::unique_lock<std::mutex>& lock, Done done, const std::string& what);

  const std::unique_ptr<Link> link_;
  const std::string server_;
  const Steady::duration limit_;
  const std::stop_token stop_;
  std::uint64_t next_id_ = 1;

  std::mutex mutex_;  // guards what follows, which the link's threads change
  std::condition_variable_any changed_;
  bool lost_ = false;
  std::optional<bool> granted_;
  std::string asked_;  // the topic; empty: nothing
  std::optional<Answer> answer_;
};

}  // namespace glimpse
