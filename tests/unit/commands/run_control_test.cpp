#include "commands/run_control.hpp"

#include <atomic>
#include <future>
#include <memory>

#include "catch.hpp"
#include "core/bell.hpp"
#include "core/error.hpp"

using namespace glimpse;
using std::chrono::milliseconds;

namespace {

/// Opened once, by the test.
class Gate {
 public:
  void open() { opened_.set_value(); }
  [[nodiscard]] bool pass() { return open_.wait_for(std::chrono::seconds(60)) == std::future_status::ready; }

 private:
  std::promise<void> opened_;
  std::shared_future<void> open_ = opened_.get_future().share();
};

const ModelIdentity float_model{"demo", false, "xnnpack", "f"}, int8_model{"demo", true, "onednn", "8"};

/// A control whose models are words.
struct Run {
  SharedSettings live{{milliseconds(1000), {}, 10}};
  Bell bell;
  std::atomic<int> loads{0}, put_in{0};
  std::function<std::optional<ReadyModel>()> load = [this] { return ready(); };
  RunControl control{live, float_model,
                     [this](const auto& model, auto quantized) {
                       ++loads;
                       asked_model = model;
                       asked_quantized = quantized;
                       return load();
                     },
                     bell};
  std::optional<std::string> asked_model;
  std::optional<bool> asked_quantized;

  ReadyModel ready() {
    return {int8_model, [this](const std::stop_token&) { ++put_in; }};
  }
  /// Asks, and waits for the answer.
  std::vector<Refusal> answer(const SettingsChange& change) {
    std::promise<std::vector<Refusal>> answered;
    control.ask(change, [&](const std::vector<Refusal>& refusals) { answered.set_value(refusals); });
    auto future = answered.get_future();
    REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    return future.get();
  }
};

SettingsChange top_k(int k) {
  return {{}, {}, {}, {}, k};
}
SettingsChange quantized(bool is) {
  return {{}, is, {}, {}, {}};
}

}  // namespace

TEST_CASE("What is asked for holds when the answer comes, the rest stays, and nothing is loaded for it") {
  Run run;
  std::atomic<int> rung{0};
  const Bell::Listener listener(run.bell, [&] { ++rung; });
  CHECK(run.answer({{}, {}, milliseconds(50), {}, 3}).empty());
  CHECK(run.live.get() == LiveSettings{milliseconds(50), {}, 3});
  CHECK(rung == 1);
  CHECK(run.answer({{}, {}, {}, EventRule{milliseconds(7), 0.7, 7}, {}}).empty());
  CHECK(run.live.get() == LiveSettings{milliseconds(50), {milliseconds(7), 0.7, 7}, 3});
  CHECK(run.control.in_force().settings == run.live.get());
  CHECK(run.control.in_force().model == float_model);
  CHECK(run.loads == 0);
}

TEST_CASE("A model is loaded, put in, and then in force with all the rest") {
  Run run;
  CHECK(run.answer({"other", true, {}, {}, 3}).empty());
  CHECK(run.asked_model == "other");
  CHECK(run.asked_quantized == true);
  CHECK(run.put_in == 1);
  CHECK(run.control.in_force().model == int8_model);
  CHECK(run.live.get().top_k == 3);
}

TEST_CASE("What runs already is not put in again, and is no reason to refuse") {
  Run run;
  run.load = []() -> std::optional<ReadyModel> { return std::nullopt; };
  CHECK(run.answer({"demo", {}, {}, {}, 3}).empty());
  CHECK(run.put_in == 0);
  CHECK(run.control.in_force().model == float_model);
  CHECK(run.live.get().top_k == 3);
}

TEST_CASE("A change is carried out whole or not at all") {
  Run run;
  std::atomic<int> rung{0};
  const Bell::Listener listener(run.bell, [&] { ++rung; });
  run.load = []() -> std::optional<ReadyModel> { throw Error(ExitCode::bad_data, "no\nmodel"); };
  std::vector<Refusal> refusals = run.answer({"other", true, milliseconds(50), {}, 3});
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].setting == "model");
  CHECK(refusals[0].reason == "no\\x0amodel");  // one line
  CHECK(run.answer(quantized(true)).at(0).setting == "quantized");
  run.load = []() -> std::optional<ReadyModel> { throw std::bad_alloc(); };
  CHECK(run.answer(quantized(true)).size() == 1);
  run.load = [&run] { return run.ready(); };
  const int before = run.loads;
  refusals = run.answer({"other", true, milliseconds(-1), {}, 0});
  REQUIRE(refusals.size() == 2);
  CHECK(refusals[0].setting == "top_k");
  CHECK(refusals[1].setting == "interval_s");
  CHECK(run.loads == before);
  CHECK(run.live.get() == LiveSettings{milliseconds(1000), {}, 10});
  CHECK(run.control.in_force().model == float_model);
  CHECK(run.put_in == 0);
  CHECK(rung == 0);
  CHECK(run.answer(quantized(true)).empty());  // and it goes on
}

TEST_CASE("Changes are carried out in the order they were asked for, in the control's own thread") {
  Gate gate, loading;
  Run run;
  run.load = [&] {
    loading.open();
    (void)gate.pass();
    return std::optional(run.ready());
  };
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  Gate last;
  run.control.ask(quantized(true), [&](const auto&) {
    order.push_back(0);
    threads.push_back(std::this_thread::get_id());
  });
  REQUIRE(loading.pass());
  for (int number = 1; number <= 8; ++number) {
    run.control.ask(top_k(number), [&, number](const auto& refusals) {
      CHECK(refusals.empty());
      CHECK(run.live.get().top_k == number);  // each one by itself
      CHECK(run.put_in == 1);
      order.push_back(number);
      threads.push_back(std::this_thread::get_id());
      if (number == 8) last.open();
    });
  }
  CHECK(run.live.get().top_k == 10);

  // Eight wait: no more are taken until one is done.
  std::vector<Refusal> refused;
  std::thread::id refused_in;
  run.control.ask(top_k(99), [&](const auto& refusals) {
    refused = refusals;
    refused_in = std::this_thread::get_id();
  });
  REQUIRE(refused.size() == 1);
  CHECK_THAT(refused[0].reason, ContainsSubstring("8 changes wait"));
  CHECK(refused_in == std::this_thread::get_id());

  gate.open();
  REQUIRE(last.pass());
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  for (const auto& thread : threads) CHECK((thread == threads[0] && thread != std::this_thread::get_id()));
  CHECK(run.answer(top_k(11)).empty());
}

TEST_CASE("The end does not wait for a load, and nobody is called after it") {
  Gate gate, loading;
  std::atomic<int> answers{0};
  auto run = std::make_unique<Run>();
  Run& it = *run;
  std::atomic<int> put_in{0};
  it.load = [&] {
    loading.open();
    (void)gate.pass();
    return std::optional(ReadyModel{int8_model, [&](const std::stop_token&) { ++put_in; }});
  };
  it.control.ask(quantized(true), [&](const auto&) { ++answers; });
  it.control.ask(top_k(3), [&](const auto&) { ++answers; });
  REQUIRE(loading.pass());
  it.control.end();
  it.control.ask(top_k(4), [&](const auto&) { ++answers; });
  CHECK(it.live.get().top_k == 10);
  gate.open();
  run.reset();
  CHECK(answers == 0);
  CHECK(put_in == 0);
}

TEST_CASE("A model that waits for frames which do not come is given up at the end") {
  Run run;
  Gate waiting;
  std::atomic<int> answers{0};
  run.load = [&] {
    return std::optional(ReadyModel{int8_model, [&](const std::stop_token& stop) {
                                      std::mutex mutex;
                                      std::condition_variable_any frames;
                                      std::unique_lock lock(mutex);
                                      waiting.open();
                                      frames.wait(lock, stop, [] { return false; });
                                    }});
  };
  run.control.ask(quantized(true), [&](const auto&) { ++answers; });
  REQUIRE(waiting.pass());
  CHECK(run.control.in_force().model == int8_model);
  run.control.end();
  CHECK(answers == 0);
}
