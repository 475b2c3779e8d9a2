#include "pipeline/adaptation.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace glimpse {
namespace {

std::string shown(double fps) {
  return fps < 10 ? fmt::format("{:.1f}", fps) : fmt::format("{:.0f}", fps);
}

}  // namespace

void Adaptation::look(Steady::time_point now) {
  if (last_at_ && now - *last_at_ < rules_.look) return;
  const RunTotals totals = reporter_.totals();
  now_.dropped = totals.dropped - totals.missed;
  const Counts before = std::exchange(last_, now_);
  const auto since = std::exchange(last_at_, now);
  if (!since) return;
  const auto passed = [&](std::uint64_t Counts::*count) {
    return static_cast<double>(now_.*count - before.*count);
  };
  const double taken = passed(&Counts::taken);
  const HeatStatus heat = reporter_.heat();
  RateGovernor::Look look;
  look.offered_fps = passed(&Counts::offered) / std::chrono::duration<double>(now - *since).count();
  look.dropped_share = taken > 0 ? std::min(1.0, passed(&Counts::dropped) / taken) : 0;
  look.throttled = heat.throttled.value_or(std::vector<std::string>{});
  look.temperature_c = heat.temperature_c;
  const RateGovernor::Change change = governor_.after(look, now);
  if (change == RateGovernor::Change::none) return;
  gate_.set_limit(governor_.limit());
  reporter_.rate_limited(governor_.limit(), governor_.reason());
  const std::string offered = shown(look.offered_fps);
  if (change == RateGovernor::Change::lowered) {
    spdlog::warn("taking {} fps instead of {}: {}{}", shown(*governor_.limit()), offered, governor_.reason(),
                 heat.temperature_c ? fmt::format(", {:.0f} °C", *heat.temperature_c) : "");
  } else if (change == RateGovernor::Change::raised) {
    spdlog::info("taking {} fps instead of {}: it was calm for a while", shown(*governor_.limit()), offered);
  } else {
    spdlog::info("taking {} fps again, every frame", offered);
  }
}

}  // namespace glimpse
