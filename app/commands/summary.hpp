// What a run says at its end.
#pragma once

#include <optional>
#include <string>

#include "pipeline/pipeline.hpp"
#include "pipeline/reporter.hpp"
#include "telemetry/publisher.hpp"

namespace glimpse {

/// "720 frames in 7.3 s, 98.4 fps, 0 dropped; records: 8 made, 8 acknowledged by the broker, 0 kept for
/// the next run, 0 dropped"
[[nodiscard]] std::string summary(const RunTotals& totals, const std::optional<PublisherStatus>& link);

/// The exit status, with its reason in the log. A stop by a signal is an orderly end. The link never stops
/// the pictures, but a run whose credentials were never accepted ends as one.
[[nodiscard]] int exit_status(const PipelineEnd& end, const RunTotals& totals,
                              const std::optional<PublisherStatus>& link, bool by_signal);

}  // namespace glimpse
