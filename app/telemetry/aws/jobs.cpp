#include "telemetry/aws/jobs.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.hpp"
#include "telemetry/aws/job_answer.hpp"
#include "telemetry/aws/job_document.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;

/// AWS takes no control characters and no others that Unicode has not given a meaning, and 1 to 1,024 of
/// them.
std::string detail(const std::string& text) {
  std::string taken = text.substr(0, 1024);
  std::replace_if(
      taken.begin(), taken.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return taken.empty() ? "-" : taken;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

struct Jobs::News {
  std::mutex mutex;
  std::uint64_t order = 0;  // what is said of another is not listened to
  std::optional<InstallProgress> progress;
  std::optional<InstallResult> result;
  std::function<void()> wake;

  void tell(std::uint64_t of, const std::function<void()>& change) {
    const std::lock_guard lock(mutex);
    if (of != order) return;
    change();
    if (wake) wake();
  }
};

Jobs::Jobs(const std::string& thing, ModelInstaller& installer, std::function<Steady::time_point()> now)
    : prefix_("$aws/things/" + thing + "/jobs/"),
      installer_(installer),
      now_(std::move(now)),
      news_(std::make_shared<News>()) {}

Jobs::~Jobs() {
  const std::lock_guard lock(news_->mutex);
  ++news_->order;
}

void Jobs::set_on_news(std::function<void()> wake) {
  const std::lock_guard lock(news_->mutex);
  news_->wake = std::move(wake);
}

std::vector<std::string> Jobs::filters() const {
  return {prefix_ + "notify-next", prefix_ + "start-next/accepted", prefix_ + "start-next/rejected",
          prefix_ + "+/update/accepted", prefix_ + "+/update/rejected"};
}

void Jobs::began() {
  start_ = update_ = {};
  not_before_ = {};
  ask_ = true;
}

void Jobs::received(const Message& message) {
  if (message.topic.rfind(prefix_, 0) != 0) return;
  const std::string what = message.topic.substr(prefix_.size());
  const auto answer = parse_job_answer(message.payload);
  if (!answer) {
    spdlog::warn("jobs: what came on '{}' is no answer of AWS IoT Jobs", escape_control(message.topic));
    return;
  }
  if (what == "notify-next") return notified(*answer);
  const bool is_accepted = ends_with(what, "/accepted");
  if (what.rfind("start-next/", 0) == 0) {
    if (start_.token.empty() || answer->token != start_.token) return;
    start_ = {};
    if (is_accepted) return started(*answer);
    spdlog::warn("jobs: AWS does not give the next job: {} {}", escape_control(answer->code),
                 escape_control(answer->message));
    not_before_ = now_() + patience;
    ask_ = true;
    return;
  }
  if (update_.token.empty() || answer->token != update_.token) return;
  update_ = {};
  is_accepted ? update_accepted(*answer) : update_rejected(*answer);
}

void Jobs::notified(const JobAnswer& answer) {
  const bool is_ours = current_ && answer.execution && answer.execution->id == current_->id;
  if ((answer.execution || current_) && !is_ours) ask_ = true;
}

void Jobs::started(const JobAnswer& answer) {
  if (!answer.execution) return let_go();
  const JobExecution& execution = *answer.execution;
  if (current_ && current_->id == execution.id && current_->number == execution.number) {
    current_->version = execution.version;
    return;
  }
  let_go();
  begin(execution, answer.document);
}

void Jobs::begin(const JobExecution& execution, const std::string& document) {
  current_ = execution;
  try {
    ModelOrder order = parse_job_document(document);
    spdlog::info("job {}: install the model {}, {} bytes", execution.id, order.name, order.size);
    const std::uint64_t number = [&] {
      const std::lock_guard lock(news_->mutex);
      news_->progress.reset();
      news_->result.reset();
      return ++news_->order;
    }();
    installer_.install(std::move(order), {[news = news_, number](const InstallProgress& it) {
                                            news->tell(number, [&] { news->progress = it; });
                                          },
                                          [news = news_, number](const InstallResult& it) {
                                            news->tell(number, [&] { news->result = it; });
                                          }});
  } catch (const BadJob& error) {
    spdlog::warn("job {} is rejected: {}", execution.id, escape_control(error.what()));
    outcome_ = Report{"REJECTED", {{"reason", error.what()}}};
  }
}

/// The current job is no longer ours to do.
void Jobs::let_go() {
  if (!current_) return;
  if (!outcome_) {
    spdlog::warn("job {}: AWS has taken it back; it was cancelled, or its time is over", current_->id);
    {
      const std::lock_guard lock(news_->mutex);
      ++news_->order;
    }
    installer_.abandon();
  }
  current_.reset();
  outcome_.reset();
  progress_.reset();
}

void Jobs::update_accepted(const JobAnswer& answer) {
  if (!current_) return;
  if (std::exchange(updating_outcome_, false)) {
    let_go();
    ask_ = true;
  } else {
    current_->version = answer.version > 0 ? answer.version : current_->version + 1;
  }
}

/// The outcome stays where it is, and so is sent again once ours is known to be in progress still.
void Jobs::update_rejected(const JobAnswer& answer) {
  if (!current_) return;
  const bool was_outcome = std::exchange(updating_outcome_, false);
  if (answer.code == "VersionMismatch" && answer.status == "IN_PROGRESS" && answer.version > 0) {
    current_->version = answer.version;
    return;
  }
  spdlog::warn("job {}: AWS does not take its status: {} {}", current_->id, escape_control(answer.code),
               escape_control(answer.message));
  const bool is_gone = answer.code == "VersionMismatch" || answer.code == "InvalidStateTransition" ||
                       answer.code == "ResourceNotFound";
  if (is_gone) let_go();
  if (answer.code == "InvalidRequest" && was_outcome && outcome_) outcome_->details.clear();
  if (!is_gone) not_before_ = now_() + patience;
  ask_ = true;
}

void Jobs::take_news() {
  const std::lock_guard lock(news_->mutex);
  if (const auto it = std::exchange(news_->progress, std::nullopt))
    progress_ = Report{"IN_PROGRESS", {{"step", it->step}, {"percent", std::to_string(it->percent)}}};
  const auto result = std::exchange(news_->result, std::nullopt);
  if (!result || !current_) return;
  if (result->reason.empty()) {
    spdlog::info("job {} succeeded", current_->id);
    outcome_ = Report{"SUCCEEDED",
                      {{"step", "done"},
                       {"form", result->quantized ? "int8" : "float"},
                       {"backend", result->backend},
                       {"sha256", result->sha256}}};
  } else {
    spdlog::warn("job {} failed: {}", current_->id, escape_control(result->reason));
    outcome_ = Report{"FAILED", {{"reason", result->reason}}};
  }
}

std::optional<Message> Jobs::next() {
  const auto now = now_();
  for (Request* const request : {&start_, &update_}) {
    if (request->token.empty() || now - request->sent < patience) continue;
    *request = {};  // its answer would be taken for none
    ask_ = true;
  }
  if (now < not_before_ || !start_.token.empty() || !update_.token.empty()) return std::nullopt;
  if (std::exchange(ask_, false)) return start_next();
  if (!current_) return std::nullopt;
  if (!outcome_) take_news();
  updating_outcome_ = outcome_.has_value();
  if (outcome_) return update(*outcome_);
  if (!progress_) return std::nullopt;
  const Report report = *std::exchange(progress_, std::nullopt);
  return update(report);
}

Jobs::Request Jobs::new_request() {
  return {"glimpse-" + std::to_string(++requests_), now_()};
}

Message Jobs::start_next() {
  start_ = new_request();
  return {prefix_ + "start-next", Json{{"clientToken", start_.token}}.dump()};
}

Message Jobs::update(const Report& report) {
  update_ = new_request();
  Json payload{{"status", report.status},
               {"expectedVersion", current_->version},
               {"executionNumber", current_->number},
               {"includeJobExecutionState", true},
               {"clientToken", update_.token}};
  for (const auto& [key, value] : report.details) payload["statusDetails"][key] = detail(value);
  return {prefix_ + current_->id + "/update", payload.dump()};
}

}  // namespace glimpse
