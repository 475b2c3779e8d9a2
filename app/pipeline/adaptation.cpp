#include "pipeline/adaptation.hpp"

#include <spdlog/spdlog.h>

namespace glimpse {

void Adaptation::look(Steady::time_point now) {
  if (last_at_ && now - *last_at_ < rules_.look) return;
  const RunTotals totals = reporter_.totals();
  const RunTotals before = std::exchange(last_, totals);
  const auto since = std::exchange(last_at_, now);
  if (!since) return;
  const HeatStatus heat = reporter_.heat();
  const auto seen = static_cast<double>(totals.seen - before.seen);
  const double taken = seen - static_cast<double>(totals.left_out - before.left_out);
  RateGovernor::Look look;
  look.offered_fps = seen / std::chrono::duration<double>(now - *since).count();
  look.dropped_share = taken > 0 ? static_cast<double>(totals.dropped - before.dropped) / taken : 0;
  look.throttled = heat.throttled.value_or(std::vector<std::string>{});
  look.temperature_c = heat.temperature_c;
  const RateGovernor::Change change = governor_.after(look, now);
  if (change == RateGovernor::Change::none) return;
  gate_.set_limit(governor_.limit());
  reporter_.rate_limited(governor_.limit(), governor_.reason());
  if (change == RateGovernor::Change::lowered) {
    spdlog::warn("taking {:.3g} fps instead of {:.3g}: {}{}", *governor_.limit(), look.offered_fps,
                 governor_.reason(),
                 heat.temperature_c ? fmt::format(", {:.0f} °C", *heat.temperature_c) : "");
  } else if (change == RateGovernor::Change::raised) {
    spdlog::info("taking {:.3g} fps instead of {:.3g}: it was calm for a while", *governor_.limit(),
                 look.offered_fps);
  } else {
    spdlog::info("taking {:.3g} fps again, every frame", look.offered_fps);
  }
}

}  // namespace glimpse
