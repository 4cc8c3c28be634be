# Consumes a stream and acknowledges: tclsh stream_consumer.tcl ?stream? ?consumer? ?how many?
package require polynats

if {[lindex $argv 0] in {-h --help}} {
    puts "usage: tclsh stream_consumer.tcl ?stream? ?consumer? ?how many?"
    exit
}
lassign [concat $argv [lrange {NEWS reader 3} $argc end]] name who count
set nc [polynats connect]
set stream [[$nc jetstream] stream $name]
set consumer [$stream get_or_create_consumer -durable_name $who]
set sub [$consumer consume -max_messages 100]
for {set taken 0} {$taken < $count} {incr taken} {
    set msg [$sub next -timeout 5]
    if {$msg eq ""} {
        error "nothing came in 5 s"
    }
    puts "[dict get $msg metadata stream_seq]\t[dict get $msg data]"
    $nc ack_sync $msg ;# the server has taken note
}
$sub unsubscribe
set info [$consumer info]
puts "left: [dict get $info num_pending], not acknowledged: [dict get $info num_ack_pending]"
$nc close
