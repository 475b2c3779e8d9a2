#include "commands/web.hpp"

#include <spdlog/spdlog.h>

#include "commands/model_switch.hpp"
#include "core/error.hpp"
#include "core/state_folder.hpp"
#include "device/identity.hpp"
#include "inference/model_package.hpp"
#include "pipeline/reporter.hpp"

namespace glimpse {
namespace {

SettingLimits limits_of(const std::string& path) {
  Settings any;
  for (const Setting& setting : settings_table(any)) {
    if (setting.path == path) return {setting.min, setting.max};
  }
  throw Error(ExitCode::internal, "no setting " + path);
}

}  // namespace

WebAddressTaken::WebAddressTaken(const Settings& settings) {
  if (settings.web.listen.empty()) return;
  listener_ = listen_at(settings.web.listen);
  url_ = url_of(*listener_, host_name());
  rules_.cookie = "glimpse_" + std::to_string(listener_->port);
  rules_.names = {listener_->host};
  if (listener_->loopback) return;
  if (settings.web.open) {
    rules_.names.push_back(host_name());
    rules_.reach = Reach::open;
    spdlog::warn("--web-open: whoever reaches {} sees the camera and changes the settings", url_);
    return;
  }
  rules_.reach = Reach::token;
  token_file_ = state_folder(settings.outbox.state) + "/web-token";
  rules_.token = load_token(token_file_);
}

std::string WebAddressTaken::line(bool to_terminal) const {
  if (!listener_) return "";
  if (rules_.reach != Reach::token) return "page " + url_;
  return to_terminal ? "page " + url_ + "?token=" + rules_.token
                     : "page " + url_ + ", token in " + token_file_;
}

std::unique_ptr<WebPage> WebAddressTaken::open(const std::string& source, SettingsControl& control,
                                               Reporter& reporter, const ModelSwitch& models,
                                               const std::string& models_folder) {
  if (!listener_) return nullptr;
  WebSources sources{
      GLIMPSE_VERSION,
      source,
      limits_of("model.top_k"),
      limits_of("telemetry.interval_s"),
      control,
      tap_,
      [&reporter] { return reporter.peek(); },
      [&reporter] { return reporter.frame_times(); },
      [&models](int width, int height) { return visible_part(models.info().input, width, height); },
      [models_folder] { return installed_models(models_folder); }};
  return std::make_unique<WebPage>(std::move(*listener_), rules_, std::move(sources));
}

}  // namespace glimpse
