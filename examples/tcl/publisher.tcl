# Publishes a few messages, one with headers: tclsh publisher.tcl ?subject? ?text?
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh publisher.tcl ?subject? ?text?"
    exit
}

lassign [concat $argv [lrange {greet.joe hello} $argc end]] subject text
set nc [polynats connect]
$nc publish $subject $text
$nc publish $subject $text -headers {Lang {en fr}}
$nc publish_many $subject {one two three}
$nc flush -timeout 5 ;# the server has them now
$nc close
puts "published 5 messages to $subject"
