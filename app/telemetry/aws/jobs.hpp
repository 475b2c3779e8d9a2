// AWS IoT Jobs: what the cloud wants done once, and how it went. The protocol alone; a ModelInstaller does
// the work. https://docs.aws.amazon.com/iot/latest/developerguide/jobs-mqtt-api.html
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model_order.hpp"
#include "core/waiting.hpp"
#include "telemetry/aws/job_answer.hpp"
#include "telemetry/conversation.hpp"

namespace glimpse {

/// One job at a time, the one that AWS gives as the next. Whatever is unclear (a new session, a cancelled
/// job, an answer that does not come) is cleared up by asking for it again: AWS gives the job in progress
/// first, and another one or none says that ours has been cancelled or has timed out there.
class Jobs final : public Conversation {
 public:
  /// For an answer, and before the next try where AWS says "later". next() has to be called now and then for
  /// it.
  static constexpr std::chrono::seconds patience{30};

  /// `installer` must outlive this.
  Jobs(const std::string& thing, ModelInstaller& installer,
       std::function<Steady::time_point()> now = Steady::now);
  ~Jobs() override;
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  [[nodiscard]] std::vector<std::string> filters() const override;
  void began() override;
  void received(const Message& message) override;
  [[nodiscard]] std::optional<Message> next() override;
  void set_on_news(std::function<void()> wake) override;

 private:
  struct Report {
    std::string status;
    std::map<std::string, std::string> details;  // AWS: printable, 1 to 1,024 characters
  };
  struct Request {
    std::string token;  // AWS gives it back in the answer; empty: there is no request
    Steady::time_point sent;
  };
  struct News;  // from the installer's thread

  void notified(const JobAnswer& answer);
  void started(const JobAnswer& answer);
  void begin(const JobExecution& execution, const std::string& document);
  void update_accepted(const JobAnswer& answer);
  void update_rejected(const JobAnswer& answer);
  void let_go();
  void take_news();
  [[nodiscard]] Message start_next();
  [[nodiscard]] Message update(const Report& report);
  [[nodiscard]] Request new_request();

  const std::string prefix_;  // of all topics
  ModelInstaller& installer_;
  const std::function<Steady::time_point()> now_;
  const std::shared_ptr<News> news_;

  std::uint64_t requests_ = 0;
  bool ask_ = false;               // for the next job
  Steady::time_point not_before_;  // AWS has said "later"
  Request start_, update_;         // without their answers
  std::optional<JobExecution> current_;
  std::optional<Report> outcome_;   // of the current one; until AWS has it
  std::optional<Report> progress_;  // the newest that AWS does not have
  bool updating_outcome_ = false;
};

}  // namespace glimpse
