// The device's shadow `glimpse` at AWS IoT Core: what the cloud wants otherwise is asked of the run's
// settings control, what is in force is reported.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/live_settings.hpp"
#include "core/waiting.hpp"
#include "telemetry/aws/shadow_document.hpp"
#include "telemetry/conversation.hpp"

namespace glimpse {

/// A wish is carried out whole or refused whole, and either once: a setting that somebody else changes later
/// stays so until the cloud asks anew. One request is on its way at a time, and one change.
class Shadow final : public Conversation {
 public:
  /// After which an answer is given up, and what was rejected, or came to a control that was too busy, is
  /// tried again. next() is to be called about once a second for it, and to see what others changed.
  static constexpr std::chrono::seconds patience{60};

  /// `control` must outlive this; a change in progress need not.
  Shadow(const std::string& thing, std::string program_version, SettingsControl& control,
         std::function<Steady::time_point()> now = Steady::now);

  [[nodiscard]] std::vector<std::string> filters() const override;
  void began() override;
  void received(const Message& message) override;
  [[nodiscard]] std::optional<Message> next() override;
  /// `wake` is called with a lock held that this takes, too: not any more once this has come back.
  void set_on_news(std::function<void()> wake) override;

 private:
  struct Outcome;  // of the change in progress: shared with the control's thread
  struct Request {
    bool is_get = false;
    std::string client_token;
    std::string reported;          // of an update
    std::set<std::string> errors;  // settings it has errors of
    Steady::time_point sent_at;
  };

  struct Refused {
    Wish wish;
    ShadowErrors errors;
  };

  [[nodiscard]] bool is_answer(const std::string& client_token, bool to_get) const;
  [[nodiscard]] bool is_old(const ShadowDocument& document) const;
  void got(const std::string& payload);
  void accepted(const std::string& payload);
  void changed(const std::string& payload);
  void rejected(const std::string& payload, bool was_get);
  void consider(const ShadowDocument& document);
  void refuse(const ShadowErrors& errors);
  [[nodiscard]] Wish open_part(const Wish& wish);
  void ask_next();
  void take_outcome();
  void give_up_waiting(Steady::time_point now);
  [[nodiscard]] Message send(Request request, const std::string& payload);
  void note(const std::string& fault);

  const std::string topics_;  // all begin so
  const std::string program_version_;
  SettingsControl& control_;
  const std::function<Steady::time_point()> now_;
  const std::string token_prefix_;
  const std::shared_ptr<Outcome> outcome_;

  // The publisher's thread alone has what follows.
  int requests_ = 0;
  std::optional<Request> on_its_way_;
  bool wants_document_ = false;         // which then is asked for before anything is reported
  std::string acknowledged_;            // what AWS has of us
  std::string rejected_;                // not tried again before rests_until_
  std::set<std::string> known_errors_;  // settings that AWS has errors of
  Steady::time_point rests_until_, asks_again_at_, asks_control_at_;
  std::string last_fault_;  // what the log said last

  std::int64_t version_ = 0, sent_s_ = 0;  // of the newest document of this session
  Wish carried_out_;                       // by setting, the last one
  std::optional<Wish> waiting_, in_progress_;
  std::optional<Refused> refused_;  // by the control, the last one
  ShadowErrors errors_;             // of the last wish
};

}  // namespace glimpse
