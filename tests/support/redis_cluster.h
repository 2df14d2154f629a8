// tests/support/redis_cluster.h: a Redis Cluster of three masters on loopback, made by redis-cli as an operator would.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_server.h"

namespace pointsman::testing {

struct RedisCluster {
  TempDir folder;
  std::vector<std::unique_ptr<RedisServer>> nodes;

  RedisCluster() {
    std::vector<std::string> create = {"--cluster", "create"};
    for (int i = 0; i < 3; ++i) {
      const std::string file = (folder.path() / ("nodes-" + std::to_string(i) + ".conf")).string();
      const std::vector<std::string> arguments = {
          "--cluster-enabled",      "yes",  "--cluster-config-file",           file,
          "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"};
      // A cluster's bus listens at the port plus 10,000, which must be one too.
      int port = FreePort();
      while (port > 55'000) port = FreePort();
      nodes.push_back(std::make_unique<RedisServer>(arguments, port));
      create.push_back("127.0.0.1:" + std::to_string(nodes.back()->port()));
    }
    create.emplace_back("--cluster-yes");
    nodes[0]->Cli(create);
    for (const auto& node : nodes) {
      EXPECT_TRUE(testing_support::Eventually([&] {
        return node->Cli({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos;
      }));
    }
  }
  int Keys() const {
    int keys = 0;
    for (const auto& node : nodes) keys += std::atoi(node->Cli({"DBSIZE"}).c_str());
    return keys;
  }
};

}  // namespace pointsman::testing
