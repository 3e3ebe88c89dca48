# The fleet: one module per region that has nodes.
locals {
  fleet = {
    edge             = var.edge
    image            = var.image
    node_key_version = var.node_key_version
    scrapers         = var.scrapers
  }
}

module "eu_west" {
  source    = "./modules/node"
  count     = contains(keys(var.regions), "eu-west") ? 1 : 0
  providers = { aws = aws.eu_west }
  region    = "eu-west"
  fleet     = local.fleet
  size      = var.regions["eu-west"]
  node_key  = var.node_key
}

module "us_east" {
  source    = "./modules/node"
  count     = contains(keys(var.regions), "us-east") ? 1 : 0
  providers = { aws = aws.us_east }
  region    = "us-east"
  fleet     = local.fleet
  size      = var.regions["us-east"]
  node_key  = var.node_key
}

module "ap_south" {
  source    = "./modules/node"
  count     = contains(keys(var.regions), "ap-south") ? 1 : 0
  providers = { aws = aws.ap_south }
  region    = "ap-south"
  fleet     = local.fleet
  size      = var.regions["ap-south"]
  node_key  = var.node_key
}
