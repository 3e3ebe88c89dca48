# A region of the fleet.
variable "region" {
  description = "The region's name in Connect, one of the edge's CONNECT_REGIONS."
  type        = string
}

variable "fleet" {
  description = "What all regions have in common."
  type = object({
    edge             = string
    image            = string
    node_key_version = number
    scrapers         = list(string)
  })
}

variable "size" {
  description = "How many nodes, of which kind, with how many shards (media threads) each."
  type = object({
    nodes         = number
    instance_type = string
    shards        = number
  })
  validation {
    condition     = var.size.nodes >= 1 && var.size.shards >= 1 && var.size.shards <= 100
    error_message = "A region has at least one node, and a node 1 to 100 shards."
  }
}

variable "node_key" {
  description = "CONNECT_NODE_KEY."
  type        = string
  sensitive   = true
  ephemeral   = true
}
