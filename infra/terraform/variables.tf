# What the fleet is.
variable "edge" {
  description = "Where the edge is reached, e.g. https://connect.example.org."
  type        = string
  validation {
    condition     = can(regex("^https://[^/]+$", var.edge))
    error_message = "The edge is an https:// address without a path: tokens travel to it."
  }
}

variable "image" {
  description = "The node's image in a public registry, with a tag or digest."
  type        = string
}

variable "regions" {
  description = "The size of the fleet by region of Connect (eu-west, us-east, ap-south); a region that is left out has no nodes."
  type = map(object({
    nodes         = optional(number, 2)
    instance_type = optional(string, "c7i.large")
    shards        = optional(number, 2)
  }))
  validation {
    condition     = length(setsubtract(keys(var.regions), ["eu-west", "us-east", "ap-south"])) == 0
    error_message = "Known regions are eu-west, us-east and ap-south. For another one, add a provider and a module."
  }
}

variable "node_key" {
  description = "CONNECT_NODE_KEY, as the edge has it: 32 bytes in base64url. It stays out of the state."
  type        = string
  sensitive   = true
  ephemeral   = true
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{43,}=*$", var.node_key))
    error_message = "The node key is base64url of 32 bytes: 43 characters or more."
  }
}

variable "node_key_version" {
  description = "Raise it whenever the node key changes: the key is written anew, and the nodes are replaced."
  type        = number
  default     = 1
}

variable "scrapers" {
  description = "CIDR blocks from which Prometheus may read the nodes' metrics; none by default."
  type        = list(string)
  default     = []
}
