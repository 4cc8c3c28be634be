# A stream and a consumer that may be there already; publish, receive, acknowledge: tclsh events.tcl ?stream?
package require polynats

if {[lindex $argv 0] in {-h --help}} {
    puts "usage: tclsh events.tcl ?stream?"
    exit
}
set name [expr {$argc > 0 ? [lindex $argv 0] : "mystream"}]
set nc [polynats connect]
set js [$nc jetstream]

set config [dict create name $name subjects [list $name.events.> $name.notifications.>] \
    retention limits max_msgs 1000 max_age [expr {7 * 24 * 3600}]]
if {[dict exists [$nc server_info] api_lvl]} { # a newer server takes these, too
    dict set config consumer_limits {inactive_threshold 3600 max_ack_pending 1000}
}
set stream [$js get_or_create_stream -config $config]

set future [$js publish_start $name.events.user.created "User created data"]
puts "published as [dict get [$future wait] seq]"

set consumer [$stream get_or_create_consumer -durable_name myconsumer -deliver_policy all \
    -ack_policy explicit -max_deliver 3]
set messages [$consumer consume]
$messages foreach msg {
    puts "received: [dict get $msg data]"
    $nc ack_sync $msg
    break
}
$js delete_stream $name
$nc close
