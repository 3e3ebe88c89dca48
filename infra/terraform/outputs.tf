# What there is afterwards.
output "groups" {
  description = "The auto scaling group of each region."
  value = {
    for region, module in { "eu-west" = module.eu_west, "us-east" = module.us_east, "ap-south" = module.ap_south } :
    region => module[0].group if length(module) > 0
  }
}
