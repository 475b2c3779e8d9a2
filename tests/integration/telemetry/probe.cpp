// A device to be killed: publishes one record and stays until it is.
// probe URI CA CERT KEY DEVICE
#include <unistd.h>

#include "telemetry/publisher.hpp"

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  glimpse::BrokerSettings settings;
  settings.uri = argv[1];
  settings.credentials = {argv[2], argv[3], argv[4]};
  settings.device = argv[5];
  glimpse::Publisher publisher(settings, "test");
  glimpse::Record record;
  record.device = settings.device;
  record.seq = 1;
  publisher.accept(record);
  while (true) pause();
}
