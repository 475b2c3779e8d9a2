// A DynamoDB on loopback, in memory, on a port that is free. Prints that port.
const server = require('dynalite')({createTableMs: 0})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
