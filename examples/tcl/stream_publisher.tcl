# Publishes into a stream, within a window: tclsh stream_publisher.tcl ?stream? ?text? ?how many?
package require polynats

if {[lindex $argv 0] in {-h --help}} {
    puts "usage: tclsh stream_publisher.tcl ?stream? ?text? ?how many?"
    exit
}
lassign [concat $argv [lrange {NEWS hello 3} $argc end]] name text count
set nc [polynats connect]
set js [$nc jetstream]
$js get_or_create_stream -name $name -subjects [list $name.>] -storage memory

set publisher [$js publisher -max_pending 100] ;# up to 100 under way
for {set number 1} {$number <= $count} {incr number} {
    $publisher publish $name.said "$text $number"
}
$publisher flush ;# until all have their ack
puts "stored [dict get [$publisher stats] acked] in $name"
$nc close
