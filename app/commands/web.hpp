// --web: the live page of a run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "capture/frame_tap.hpp"
#include "config/settings.hpp"
#include "view/web/web_page.hpp"

namespace glimpse {

class ModelSwitch;
class Reporter;
class SettingsControl;

/// The address, taken before there is anything to show there. Without --web there is none, and nothing else
/// happens.
class WebAddressTaken {
 public:
  /// Throws Error where the address cannot be had, and where others would reach it and there is no token.
  explicit WebAddressTaken(const Settings& settings);

  /// "page http://127.0.0.1:8080/"; "" without a page. `to_terminal`: only the person at it reads that, so it
  /// has the token.
  [[nodiscard]] std::string line(bool to_terminal) const;
  /// What the pipeline offers its frames to; nullptr without a page.
  [[nodiscard]] FrameTap* tap() { return listener_ ? &tap_ : nullptr; }
  /// Begins to answer; empty without a page. `models_folder`: where models are looked for first. All that is
  /// given must outlive what is returned.
  [[nodiscard]] std::unique_ptr<WebPage> open(const std::string& source, SettingsControl& control,
                                              Reporter& reporter, const ModelSwitch& models,
                                              const std::string& models_folder);

 private:
  std::optional<Listener> listener_;
  AccessRules rules_;
  std::string url_, token_file_;
  FrameTap tap_;
};

}  // namespace glimpse
