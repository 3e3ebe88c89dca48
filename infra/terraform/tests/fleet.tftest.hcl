# The fleet, planned and applied against a cloud that is made up: no account and no network are needed.
mock_provider "aws" {
  alias  = "eu_west"
  source = "./tests/cloud"
}

mock_provider "aws" {
  alias  = "us_east"
  source = "./tests/cloud"
}

mock_provider "aws" {
  alias  = "ap_south"
  source = "./tests/cloud"
}

variables {
  edge     = "https://connect.example.org"
  image    = "registry.example.org/connect-node:1"
  node_key = "0000000000000000000000000000000000000000000"
  regions = {
    eu-west = { nodes = 3, shards = 4 }
    us-east = {}
  }
}

run "has_nodes_where_they_are_wanted" {
  assert {
    condition     = output.groups == { eu-west = "connect-node-eu-west", us-east = "connect-node-us-east" }
    error_message = "There must be a group in each region that is named, and in no other."
  }
}

run "rejects_a_region_without_a_provider" {
  command = plan
  variables {
    regions = { mars-north = {} }
  }
  expect_failures = [var.regions]
}

run "rejects_an_edge_in_clear" {
  command = plan
  variables {
    edge = "http://connect.example.org"
  }
  expect_failures = [var.edge]
}

run "rejects_a_short_key" {
  command = plan
  variables {
    node_key = "short"
  }
  expect_failures = [var.node_key]
}
