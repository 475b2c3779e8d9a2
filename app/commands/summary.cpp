#include "commands/summary.hpp"

#include <spdlog/spdlog.h>

#include "view/numbers.hpp"

namespace glimpse {

std::string summary(const RunTotals& totals, const std::optional<PublisherStatus>& link) {
  const bool has_rate = totals.classified > 1 && totals.seconds > 0;
  const double rate = has_rate ? static_cast<double>(totals.classified - 1) / totals.seconds : 0;
  std::string text = std::to_string(totals.classified) + " frames in " + fixed(totals.seconds, 1) + " s, " +
                     (has_rate ? fixed(rate, 1) : "-") + " fps, " + std::to_string(totals.dropped) +
                     " dropped";
  if (totals.left_out > 0) text += ", " + std::to_string(totals.left_out) + " left out by --adapt";
  if (totals.skipped > 0) text += ", " + std::to_string(totals.skipped) + " pictures skipped";
  text += "; records: " + std::to_string(totals.records) + " made";
  if (totals.events_left_out > 0) {
    text += ", " + std::to_string(totals.events_left_out) + " events left out";
  }
  if (link) {
    text += ", " + std::to_string(link->acknowledged) + " acknowledged by the broker, " +
            std::to_string(link->pending) + " kept for the next run, " + std::to_string(link->dropped) +
            " dropped";
  }
  return text;
}

int exit_status(const PipelineEnd& end, const RunTotals& totals, const std::optional<PublisherStatus>& link,
                bool by_signal) {
  ExitCode code = end.code;
  if (end.code != ExitCode::ok) {
    spdlog::error("{}", end.reason);
  } else if (by_signal) {
    return 0;
  } else if (totals.seen == 0 && totals.skipped > 0) {
    spdlog::error("none of the {} pictures could be decoded", totals.skipped);
    code = ExitCode::bad_data;
  } else if (link && link->credentials_fault && !link->ever_connected) {
    spdlog::error("no record was sent: {}", link->last_error);
    code = ExitCode::credentials;
  }
  return static_cast<int>(code);
}

}  // namespace glimpse
