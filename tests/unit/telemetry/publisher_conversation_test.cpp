// What the publisher does for a conversation, beside the records.
#include <deque>

#include "captured_log.hpp"
#include "publisher_support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// Begins each session with a question, and writes down what it hears.
class Echo : public Conversation {
 public:
  explicit Echo(std::string filter) : filter_(std::move(filter)) {}
  std::vector<std::string> filters() const override { return {filter_}; }
  void began() override {
    const std::lock_guard lock(mutex);
    ++sessions;
    to_send.push_back({filter_ + "/ask", "{}"});
  }
  void received(const Message& message) override {
    const std::lock_guard lock(mutex);
    heard.push_back(message.payload);
  }
  std::optional<Message> next() override {
    const std::lock_guard lock(mutex);
    if (to_send.empty()) return std::nullopt;
    Message message = to_send.front();
    to_send.pop_front();
    return message;
  }
  void set_on_news(std::function<void()> wake) override {
    const std::lock_guard lock(mutex);
    news = std::move(wake);
  }
  void say(const std::string& topic) {
    const std::lock_guard lock(mutex);
    to_send.push_back({topic, "{}"});
    news();
  }

  std::mutex mutex;
  int sessions = 0;
  std::vector<std::string> heard;
  std::deque<Message> to_send;
  std::function<void()> news;

 private:
  const std::string filter_;
};

bool was_published(Network& net, const std::string& topic) {
  return net.wait([&] {
    return std::any_of(net.published.begin(), net.published.end(),
                       [&](const Network::Publish& it) { return it.topic == topic; });
  });
}

void arrives(Network& net, const std::string& topic, const std::string& payload) {
  LinkEvents events;
  {
    const std::lock_guard lock(net.mutex);
    events = net.events;
  }
  events.received({topic, payload});
}

}  // namespace

TEST_CASE("a conversation has its subscription, then its say, and gets what comes in on its topics alone") {
  const auto net = std::make_shared<Network>();
  Echo a("a"), b("b");
  Device device(seams(net), Drain::fifo, {&a, &b});
  REQUIRE(was_published(*net, "a/ask"));
  REQUIRE(was_published(*net, "b/ask"));
  CHECK(net->subscribed == std::vector<std::string>{"a", "b"});
  CHECK(net->published.front().topic == "glimpse/v1/thing/status");
  arrives(*net, "a", "1");
  arrives(*net, "b", "2");
  arrives(*net, "c", "3");
  arrives(*net, "a", "4");
  a.say("a/done");
  REQUIRE(was_published(*net, "a/done"));
  device.publisher.finish(60s);
  CHECK(a.heard == std::vector<std::string>{"1", "4"});
  CHECK(b.heard == std::vector<std::string>{"2"});
  CHECK(a.sessions == 1);
}

TEST_CASE("each session begins the conversation anew, and records go with it") {
  const auto net = std::make_shared<Network>();
  Echo echo("a");
  Device device(seams(net), Drain::fifo, {&echo});
  REQUIRE(was_published(*net, "a/ask"));
  net->break_session();
  REQUIRE(net->wait([&] { return net->subscribed.size() == 2; }));
  device.accept(1, 30);
  device.publisher.finish(60s);
  CHECK(echo.sessions == 2);
  CHECK(device.publisher.status().acknowledged == 30);
}

TEST_CASE("a subscription that is refused silences its conversation, once in the log; the others go on") {
  const auto net = std::make_shared<Network>();
  net->refuse = "a";
  CapturedLog log;
  Echo a("a"), b("b");
  Device device(seams(net), Drain::fifo, {&a, &b});
  REQUIRE(was_published(*net, "b/ask"));
  net->break_session();
  REQUIRE(net->wait([&] { return net->subscribed.size() == 4; }));
  arrives(*net, "a", "1");
  device.accept(1, 3);
  device.publisher.finish(60s);
  CHECK(a.sessions == 0);
  CHECK(a.heard.empty());
  CHECK(b.sessions == 2);
  CHECK(device.publisher.status().acknowledged == 3);
  CHECK(log.count("refuses the subscription to 'a'") == 1);
}

TEST_CASE("a request or a subscription that ends three sessions is set aside, and records go on") {
  const bool on_subscribe = GENERATE(true, false);
  const auto net = std::make_shared<Network>();
  net->break_on = on_subscribe ? "a" : "a/ask";
  CapturedLog log;
  Echo echo("a");
  Device device(seams(net), Drain::fifo, {&echo});
  device.accept(1, 5);
  REQUIRE(net->wait([&] { return net->attempts == 4 && net->seqs().size() >= 5; }));
  device.publisher.finish(60s);
  CHECK(device.publisher.status().acknowledged == 5);
  CHECK(net->attempts == 4);
  CHECK(log.count(std::string(on_subscribe ? "iot:Subscribe" : "iot:Publish") + " on arn:aws:iot:") == 1);
  CHECK(log.count("5 minutes") == 1);
}

TEST_CASE("what comes too fast or is too large is dropped and said, not hoarded") {
  const auto net = std::make_shared<Network>();
  CapturedLog log;
  Echo echo("a");
  net->hang_on = "a/ask";  // the publisher's thread is busy meanwhile
  Device device(seams(net), Drain::fifo, {&echo});
  REQUIRE(was_published(*net, "a/ask"));
  arrives(*net, "a", std::string(Conversations::max_bytes + 1, 'x'));
  for (std::size_t i = 0; i < 2 * Conversations::max_waiting; ++i) arrives(*net, "a", std::to_string(i));
  {
    const std::lock_guard lock(net->mutex);
    net->hang_on.clear();
    net->changed.notify_all();
  }
  echo.say("a/done");
  REQUIRE(was_published(*net, "a/done"));
  device.publisher.finish(60s);
  CHECK(echo.heard.size() == Conversations::max_waiting);
  CHECK(log.count("larger than 128 KiB") == 1);
}
